import { Health } from "../../../../gen/health/v1/health_pb.ts";
import { framed, type Step, sends, streamComplete } from "../../case.ts";
import { type Speech, timeoutHeader } from "../../speech.ts";
import type { BrowserCase } from "../browsers.ts";
import { asksIn, messageIn } from "./script.ts";

const OVER = "4 DEADLINE_EXCEEDED";
const method = streamComplete;
const leave: Step = { reset: 8 };
const started: Step = { await: { handler: /starts/ } };

/** Deadlines, callers that leave, and callers that do not read. */
export function times(speech: Speech): readonly BrowserCase[] {
  const asks = (script: string) => asksIn(speech, script);
  const timeout = (value: number | string) => timeoutHeader(speech, value);
  const starts = (seconds: number) => `StreamComplete starts for local within ${seconds} s`;
  const lost = speech.http === "HTTP/1.1" ? "cut off" : "reset 8";
  const told = [starts(10), "told CANCELLED", "ends"];
  const message = { send: framed(messageIn(speech, "messages=2 then=hang")) };
  return [
    {
      name: "asks for 5 s",
      method,
      headers: timeout(5000),
      steps: asks(""),
      ends: "0 with 3 messages",
      handler: [starts(5), "ends"],
    },
    { name: "asks for no time", method, headers: timeout(0), steps: asks("then=hang"), ends: OVER },
    ...["5s", "-1", "1.5", "12345678901", ""].map(
      (value): BrowserCase => ({
        name: `asks for the malformed timeout ${JSON.stringify(value)}`,
        method,
        headers: timeout(value),
        steps: asks(""),
        ends: "3 INVALID_REQUEST",
        handler: [],
      }),
    ),
    {
      name: "is out of time before the first message",
      method,
      headers: timeout(100),
      steps: asks("messages=0 then=hang"),
      ends: OVER,
      handler: [starts(1), "told DEADLINE_EXCEEDED", "ends"],
    },
    {
      name: "is out of time in the middle",
      method,
      headers: timeout(100),
      steps: asks("messages=2 then=hang"),
      ends: `${OVER} with 2 messages`,
    },
    {
      name: "is out of time with a deaf handler",
      method,
      headers: timeout(100),
      steps: asks("messages=2 then=deaf"),
      ends: `${OVER} with 2 messages`,
      handler: [starts(1), "told DEADLINE_EXCEEDED"],
    },
    { name: "is out of the server's time", server: "brief", method, steps: asks("messages=0 then=hang"), ends: OVER },
    {
      name: "leaves before its body is complete",
      method,
      steps: [{ send: message.send.subarray(0, 9) }, { pauseMs: 20 }, leave],
      ends: lost,
      handler: [],
    },
    {
      name: "leaves before the first message",
      method,
      steps: [...asks("messages=0 then=hang"), started, leave],
      ends: lost,
      handler: told,
    },
    {
      name: "leaves in the middle",
      method,
      steps: [message, "half-close", { await: { messages: 2 } }, leave],
      ends: `${lost} with 2 messages`,
      handler: told,
    },
    {
      name: "leaves a deaf handler by dropping its connection",
      method,
      steps: [...asks("messages=0 then=deaf"), started, "drop connection"],
      ends: speech.http === "HTTP/1.1" ? "cut off" : "reset 0",
      handler: told.slice(0, 2),
    },
    {
      name: "watches health for as long as its timeout says",
      method: Health.method.watch,
      headers: timeout(100),
      steps: sends(framed(speech.notation === "json" ? Buffer.from("{}") : Buffer.alloc(0))),
      ends: `4 with 1 message`,
    },
    ...(speech.http === "HTTP/2" ? unread(speech) : []),
  ];
}

/** Over HTTP/2, whose window says how much fits; how much sockets of HTTP/1.1 hold is the system's affair. */
function unread(speech: Speech): readonly BrowserCase[] {
  const ask: readonly Step[] = ["stop reading", ...asksIn(speech, "messages=50 bytes=100000")];
  const handler = ["StreamComplete starts for local within 10 s", "told SLOW_READER", "ends"];
  return [
    {
      name: "stops reading, and goes on after it was given up",
      server: "strict",
      method,
      steps: [...ask, { await: { handler: /told SLOW_READER/ } }, "read on"],
      ends: "8 SLOW_READER with 2 messages",
      handler,
    },
    {
      name: "stops reading for good",
      server: "strict",
      method,
      steps: [...ask, { await: "answer" }],
      ends: "reset 11",
      handler,
    },
  ];
}
