import { Code } from "@connectrpc/connect";
import { errorTable } from "../../../src/rpc/error-table.ts";
import { asks, streamComplete, type WireCase } from "../case.ts";
import { failures } from "../failures.ts";

const hostileTexts = [
  ["UTF-8", "Åse Lund: 語 😀"],
  ["line breaks", "one\ntwo\r\nthree\ttab"],
  ["percent signs", "100% of %41 and %"],
  ["commas and quotes", 'a, b; "c" = \\d~'],
  ["spaces around it", "  x  "],
  ["control characters", "a\u0000b\u007fc"],
] as const;

/** An INTERNAL that is not ours is taken for a bug. */
const codes = Object.values(Code).filter((code) => typeof code === "number" && code !== Code.Internal);

/** Every way to fail, before the answer and in the middle of it. */
export const statuses: readonly WireCase[] = [
  ...Object.values(failures("x")).flatMap(({ reason }): WireCase[] => {
    const { code } = errorTable[reason];
    return [
      { name: `gets ${reason}`, steps: asks(`then=fail:${reason}`), ends: `${code} ${reason}` },
      {
        name: `gets ${reason} for a stream before its first message`,
        method: streamComplete,
        steps: asks(`messages=0 then=fail:${reason}`),
        ends: `${code} ${reason}`,
      },
      {
        name: `gets ${reason} in the middle of a stream`,
        method: streamComplete,
        steps: asks(`messages=2 then=fail:${reason}`),
        ends: `${code} ${reason} with 2 messages`,
      },
    ];
  }),
  ...codes.flatMap((code): WireCase[] => [
    { name: `gets code ${code} with the error's own metadata`, steps: asks(`then=code:${code}`), ends: `${code}` },
    {
      name: `gets code ${code} with the error's own metadata in the middle of a stream`,
      method: streamComplete,
      steps: asks(`then=code:${code}`),
      ends: `${code} with 3 messages`,
    },
  ]),
  ...hostileTexts.flatMap(([kind, text]): WireCase[] => [
    {
      name: `gets a message and details with ${kind}`,
      steps: asks(`then=fail:PERMISSION_DENIED\n${text}`),
      ends: "7 PERMISSION_DENIED",
    },
    {
      name: `gets a message with ${kind} in the middle of a stream`,
      method: streamComplete,
      steps: asks(`messages=1 then=code:9\n${text}`),
      ends: "9 with 1 message",
    },
  ]),
  {
    name: "gets details that are cut to fit the trailers",
    steps: asks(`then=fail:PARSE_FAILURE\n${"語".repeat(9000)}`),
    ends: "15 PARSE_FAILURE",
  },
  {
    name: "gets a message of 6,000 characters",
    steps: asks(`then=code:9\n${"語".repeat(2000)}`),
    ends: "9",
  },
  {
    name: "gets a message of 6,000 characters in the middle of a stream",
    method: streamComplete,
    steps: asks(`then=code:9\n${"m".repeat(6000)}`),
    ends: "9 with 3 messages",
  },
  { name: "gets INTERNAL for a bug, and nothing of it", steps: asks("then=bug"), ends: "13 INTERNAL" },
  {
    name: "gets INTERNAL for a bug in the middle of a stream",
    method: streamComplete,
    steps: asks("messages=2 then=bug"),
    ends: "13 INTERNAL with 2 messages",
  },
  { name: "gets an answer", steps: asks("\nhello"), ends: "0 with 1 message" },
  {
    name: "gets a stream in order",
    method: streamComplete,
    steps: asks("messages=300\nhello"),
    ends: "0 with 300 messages",
  },
  { name: "gets a stream of nothing", method: streamComplete, steps: asks("messages=0"), ends: "0" },
];
