import { Health } from "../../../gen/health/v1/health_pb.ts";
import { asks, framed, message, sends, streamComplete, type WireCase } from "../case.ts";

const timeout = (value: string | readonly string[]) => ({ "grpc-timeout": value });
const ANSWERED = "0 with 1 message";
const OVER = "4 DEADLINE_EXCEEDED";

/** Seconds within which the handler must end; the margin for the answer makes them no whole ones. */
const seen = (seconds: number) => [`Complete starts for local within ${seconds} s`, "ends"];

/** `grpc-timeout` as it is asked for, and what comes of it. */
export const deadlines: readonly WireCase[] = [
  ...(
    [
      ["1H", 20],
      ["1M", 20],
      ["5S", 5],
      ["5000m", 5],
      ["5000000u", 5],
      ["99999999n", 1],
      ["99999999H", 20],
      ["00000005S", 5],
    ] as const
  ).map(
    ([value, seconds]): WireCase => ({
      name: `asks for ${value}`,
      headers: timeout(value),
      steps: asks(""),
      ends: ANSWERED,
      handler: seen(seconds),
    }),
  ),
  { name: "asks for no timeout", steps: asks(""), ends: ANSWERED, handler: seen(10) },
  ...["0S", "0H", "00000000n", "1n", "1u"].map(
    (value): WireCase => ({ name: `asks for ${value}`, headers: timeout(value), steps: asks("then=hang"), ends: OVER }),
  ),
  ...["", "5", "S", "-1S", "1.5S", "123456789S", "5s", "5 S", "5SS", "١S", "0x1S", "1e3m"].map(
    (value): WireCase => ({
      name: `asks for the malformed timeout ${JSON.stringify(value)}`,
      headers: timeout(value),
      steps: asks(""),
      ends: "3 INVALID_REQUEST",
      handler: [],
    }),
  ),
  {
    name: "asks for two timeouts",
    headers: timeout(["1S", "2S"]),
    steps: asks(""),
    ends: "3 INVALID_REQUEST",
    handler: [],
  },
  {
    name: "asks by Connect's header for a timeout, which is none of gRPC",
    headers: { "connect-timeout-ms": "5000" },
    steps: asks(""),
    ends: ANSWERED,
  },
  {
    name: "is out of time while the handler works",
    headers: timeout("100m"),
    steps: asks("then=hang"),
    ends: OVER,
    handler: ["Complete starts for local within 1 s", "told DEADLINE_EXCEEDED", "ends"],
  },
  {
    name: "is out of time while a deaf handler works",
    headers: timeout("100m"),
    steps: asks("then=deaf"),
    ends: OVER,
    handler: ["Complete starts for local within 1 s", "told DEADLINE_EXCEEDED"],
  },
  { name: "is out of the server's time", server: "brief", steps: asks("then=hang"), ends: OVER },
  {
    name: "asks for more than the server gives by itself",
    server: "brief",
    headers: timeout("2S"),
    steps: asks(""),
    ends: ANSWERED,
    handler: seen(2),
  },
  {
    name: "is out of time before the first message of a stream",
    method: streamComplete,
    headers: timeout("100m"),
    steps: asks("messages=0 then=hang"),
    ends: OVER,
  },
  {
    name: "is out of time in the middle of a stream",
    method: streamComplete,
    headers: timeout("100m"),
    steps: asks("messages=2 then=hang"),
    ends: `${OVER} with 2 messages`,
  },
  {
    name: "is out of time in the middle of the stream of a deaf handler",
    method: streamComplete,
    headers: timeout("100m"),
    steps: asks("messages=2 then=deaf"),
    ends: `${OVER} with 2 messages`,
  },
  {
    name: "is out of time before it has sent its body",
    headers: timeout("100m"),
    steps: [{ await: "answer" }],
    ends: OVER,
    handler: [],
  },
  {
    name: "is out of time in the middle of its body",
    headers: timeout("100m"),
    steps: [{ send: framed(message("")).subarray(0, 3) }, { await: "answer" }],
    ends: OVER,
    handler: [],
  },
  {
    name: "is out of time with its message sent and its request open",
    headers: timeout("100m"),
    steps: [{ send: framed(message("")) }, { await: "answer" }],
    ends: OVER,
    handler: [],
  },
  {
    name: "asks for a timeout of a service that has none",
    method: Health.method.check,
    headers: timeout("0S"),
    steps: sends(framed(new Uint8Array())),
    ends: OVER,
  },
  {
    name: "asks for a malformed timeout of a service that has none",
    method: Health.method.check,
    headers: timeout("soon"),
    steps: sends(framed(new Uint8Array())),
    ends: "3 INVALID_REQUEST",
  },
];
