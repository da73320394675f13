import { constants } from "node:http2";
import { framed, message, type Step, streamComplete, type WireCase } from "../case.ts";

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = constants;
const cancel: Step = { reset: NGHTTP2_CANCEL };
const send = (script: string): Step => ({ send: framed(message(script)) });
const started: Step = { await: { handler: /starts/ } };
const LOST = `reset ${NGHTTP2_CANCEL}`;
const told = (method: string, ...after: readonly string[]) => [
  `${method} starts for local within 10 s`,
  "told CANCELLED",
  ...after,
];

/** The caller leaves: when, how, and what its handler is told. For leaving before half-close see `frames.test.ts`. */
export const cancels: readonly WireCase[] = [
  { name: "leaves before its body", steps: [{ pauseMs: 20 }, cancel], ends: LOST, handler: [] },
  {
    name: "drops its connection after its message and before half-close",
    steps: [send("then=hang"), { pauseMs: 20 }, "drop connection"],
    ends: "reset 0",
    handler: [],
  },
  {
    name: "leaves while the handler works",
    steps: [send("then=hang"), "half-close", started, cancel],
    ends: LOST,
    handler: told("Complete", "ends"),
  },
  {
    name: "leaves a handler that is deaf",
    steps: [send("then=deaf"), "half-close", started, cancel],
    ends: LOST,
    handler: told("Complete"),
  },
  ...[NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR].map(
    (code): WireCase => ({
      name: `leaves with code ${code}`,
      steps: [send("then=hang"), "half-close", started, { reset: code }],
      ends: `reset ${code}`,
      handler: told("Complete", "ends"),
    }),
  ),
  {
    name: "leaves by dropping its connection",
    steps: [send("then=hang"), "half-close", started, "drop connection"],
    ends: "reset 0",
    handler: told("Complete", "ends"),
  },
  {
    name: "leaves a stream before its first message",
    method: streamComplete,
    steps: [send("messages=0 then=hang"), "half-close", started, cancel],
    ends: LOST,
    handler: told("StreamComplete", "ends"),
  },
  {
    name: "leaves in the middle of a stream",
    method: streamComplete,
    steps: [send("messages=2 then=hang"), "half-close", { await: { messages: 2 } }, cancel],
    ends: `${LOST} with 2 messages`,
    handler: told("StreamComplete", "ends"),
  },
  {
    name: "leaves the stream of a deaf handler",
    method: streamComplete,
    steps: [send("messages=2 then=deaf"), "half-close", { await: { messages: 2 } }, cancel],
    ends: `${LOST} with 2 messages`,
    handler: told("StreamComplete"),
  },
  {
    name: "drops its connection in the middle of a stream",
    method: streamComplete,
    steps: [send("messages=2 then=hang"), "half-close", { await: { messages: 2 } }, "drop connection"],
    ends: "http 200 with 2 messages",
    handler: told("StreamComplete", "ends"),
  },
];
