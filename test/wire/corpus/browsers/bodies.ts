import { framed, type Step, sends, streamComplete } from "../../case.ts";
import type { Speech } from "../../speech.ts";
import type { BrowserCase } from "../browsers.ts";
import { messageIn } from "./script.ts";

const INVALID = "3 INVALID_REQUEST";
const ANSWERED = "0 with 3 messages";

/** How a request arrives, and what cannot be read of it. */
export function bodies(speech: Speech): readonly BrowserCase[] {
  const ofJson = speech.notation === "json" ? " of JSON" : "";
  const endFlag = speech.protocol === "connect" ? 2 : 128;
  const message = messageIn(speech, "\nx");
  const whole = framed(message);
  const cases: readonly Omit<BrowserCase, "method">[] = [
    {
      name: "sends its message in pieces",
      steps: [...cut(whole, 3)].flatMap((piece): Step[] => [{ send: piece }, { pauseMs: 2 }]).concat("half-close"),
      ends: ANSWERED,
    },
    { name: "sends no body", steps: ["half-close"], ends: "12", handler: [] },
    { name: "sends half a prefix", steps: sends(whole.subarray(0, 3)), ends: INVALID, handler: [] },
    { name: `sends half a message${ofJson}`, steps: sends(whole.subarray(0, -1)), ends: INVALID, handler: [] },
    { name: "sends a message and a byte", steps: sends(whole, Buffer.of(0)), ends: INVALID, handler: [] },
    { name: "sends two messages", steps: sends(whole, whole), ends: "12", handler: [] },
    {
      name: "sends an empty message",
      steps: sends(framed(Buffer.alloc(0))),
      ends: speech.notation === "json" ? INVALID : ANSWERED,
    },
    { name: "marks its message as the end", steps: sends(framed(message, { flags: endFlag })), ends: INVALID },
    {
      name: "marks its message as another protocol's end",
      steps: sends(framed(message, { flags: 130 - endFlag })),
      ends: INVALID,
    },
    { name: "sends the flags 3", steps: sends(framed(message, { flags: 3 })), ends: INVALID, handler: [] },
    {
      name: "sends a message beyond the limit",
      steps: sends(framed(messageIn(speech, `\n${"x".repeat(65_536)}`))),
      ends: "8",
      handler: [],
    },
    {
      name: "declares 4 GiB and sends nothing of it",
      steps: [{ send: framed(Buffer.alloc(0), { length: 0xffff_ffff }) }, { await: "answer" }],
      ends: "8",
      handler: [],
    },
    { name: "never sends its body", server: "impatient", steps: [...silent, { await: "answer" }], ends: INVALID },
    {
      name: "never finishes its message",
      server: "impatient",
      steps: [{ send: whole.subarray(0, 7) }, { await: "answer" }],
      ends: INVALID,
      handler: [],
    },
    { name: "sends garbage", steps: sends(framed(Buffer.of(0xff, 0xff, 0x22, 0xff))), ends: INVALID, handler: [] },
    ...(speech.notation === "json" ? jsonFaults() : []),
  ];
  return cases.map((one) => ({ ...one, method: streamComplete }));
}

/** Node's client sends the headers of a request with its first bytes. */
const silent: readonly Step[] = [{ send: Buffer.of(0) }];

function jsonFaults(): readonly Omit<BrowserCase, "method">[] {
  const texts = ['{"input":{"foo":1}}', '{"input":{"model":1}}', '{"input":', '{"input":{},"input":{}}', "[]", "null"];
  return texts.map((text) => ({
    name: `sends ${text}`,
    steps: sends(framed(Buffer.from(text))),
    ends: INVALID,
    handler: [],
  }));
}

function* cut(bytes: Buffer, pieces: number): Iterable<Buffer> {
  const size = Math.ceil(bytes.length / pieces);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
