import { framed, message, type Step, streamComplete, type WireCase } from "../case.ts";

const ask = (script: string): readonly Step[] => ["stop reading", { send: framed(message(script)) }, "half-close"];
const gaveUp: Step = { await: { handler: /told SLOW_READER/ } };

/** Callers that do not read what they get. The window of HTTP/2 holds 64 KiB, the first messages are larger. */
export const readers: readonly WireCase[] = [
  {
    name: "stops reading a stream, and goes on after it was given up",
    server: "strict",
    method: streamComplete,
    steps: [...ask("messages=50 bytes=100000"), gaveUp, "read on"],
    ends: "8 SLOW_READER with 2 messages",
    handler: ["StreamComplete starts for local within 10 s", "told SLOW_READER", "ends"],
  },
  {
    name: "stops reading a stream for good",
    server: "strict",
    method: streamComplete,
    steps: [...ask("messages=50 bytes=100000"), { await: "answer" }],
    ends: "reset 11",
    handler: ["StreamComplete starts for local within 10 s", "told SLOW_READER", "ends"],
  },
  {
    name: "stops reading an answer for good",
    server: "strict",
    steps: [...ask("bytes=200000"), { await: "answer" }],
    ends: "reset 11",
    handler: ["Complete starts for local within 10 s", "ends"],
  },
  {
    name: "stops reading for a moment",
    method: streamComplete,
    steps: [...ask("messages=5 bytes=100000"), { pauseMs: 50 }, "read on"],
    ends: "0 with 5 messages",
  },
  {
    name: "leaves a stream that it did not read",
    server: "strict",
    method: streamComplete,
    steps: [...ask("messages=50 bytes=100000"), { await: "headers" }, { reset: 8 }],
    ends: "reset 8",
    handler: ["StreamComplete starts for local within 10 s", "told CANCELLED", "ends"],
  },
  {
    name: "is out of time while it does not read",
    method: streamComplete,
    headers: { "grpc-timeout": "100m" },
    steps: [...ask("messages=50 bytes=100000"), { await: { handler: /ends/ } }, "read on"],
    ends: "4 DEADLINE_EXCEEDED with 2 messages",
    handler: ["StreamComplete starts for local within 1 s", "told DEADLINE_EXCEEDED", "ends"],
  },
];
