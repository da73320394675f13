import { Code } from "@connectrpc/connect";
import { errorTable } from "../../../../src/rpc/error-table.ts";
import { streamComplete } from "../../case.ts";
import type { Speech } from "../../speech.ts";
import { ECHO_HEADER } from "../../wire-server.ts";
import type { BrowserCase } from "../browsers.ts";
import { asksIn } from "./script.ts";

const method = streamComplete;
const reasons = ["RATE_LIMITED", "PARSE_FAILURE", "CONTEXT_OVERFLOW", "CACHE_MISS", "STREAM_INTERRUPTED"] as const;

/** How a stream ends: well, before its first message, in the middle of it; and what goes along with it. */
export function answers(speech: Speech): readonly BrowserCase[] {
  const asks = (script: string) => asksIn(speech, script);
  return [
    { name: "gets a stream in order", method, steps: asks("messages=300\nhello"), ends: "0 with 300 messages" },
    { name: "gets a stream of nothing", method, steps: asks("messages=0"), ends: "0" },
    {
      name: "gets messages beyond what is written at once",
      method,
      steps: asks("messages=3 bytes=200000"),
      ends: "0 with 3 messages",
    },
    { name: "gets a message beyond the limit", method, steps: asks("bytes=262145"), ends: "8" },
    ...reasons.flatMap((reason): BrowserCase[] => {
      const { code } = errorTable[reason];
      return [
        {
          name: `gets ${reason} before the first message`,
          method,
          steps: asks(`messages=0 then=fail:${reason}`),
          ends: `${code} ${reason}`,
        },
        {
          name: `gets ${reason} in the middle`,
          method,
          steps: asks(`messages=2 then=fail:${reason}\nÅse, 語 100% \u0007`),
          ends: `${code} ${reason} with 2 messages`,
        },
      ];
    }),
    ...[Code.Canceled, Code.NotFound, Code.Unauthenticated].map(
      (code): BrowserCase => ({
        name: `gets code ${code} with the error's own metadata`,
        method,
        steps: asks(`messages=1 then=code:${code}\nÅse, "語"; 100% %41`),
        ends: `${code} with 1 message`,
      }),
    ),
    { name: "gets INTERNAL for a bug", method, steps: asks("then=bug"), ends: "13 INTERNAL with 3 messages" },
    {
      name: "gets the headers and trailers that its handler adds",
      method,
      headers: { [ECHO_HEADER]: "1", "echo-header-a": "x, y", "echo-trailer-b": "z", "echo-trailer-c-bin": "AQID" },
      steps: asks("messages=1"),
      ends: "0 with 1 message",
    },
    {
      name: "gets trailers with an error",
      method,
      headers: { [ECHO_HEADER]: "1", "echo-trailer-b": "z" },
      steps: asks("messages=1 then=fail:CACHE_MISS"),
      ends: "9 CACHE_MISS with 1 message",
    },
  ];
}
