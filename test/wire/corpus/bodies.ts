import { asks, framed, message, type Step, sends, streamComplete, type WireCase } from "../case.ts";

const whole = framed(message("\nx"));
const send = (bytes: Uint8Array): Step => ({ send: bytes });
const pause: Step = { pauseMs: 10 };
const ANSWERED = "0 with 1 message";
const INVALID = "3 INVALID_REQUEST";
/** Without the tags and lengths around it. */
const exactly = (bytes: number) => message(`\n${"x".repeat(bytes - 1 - (message("x".repeat(bytes)).length - bytes))}`);

/** How a request arrives: in pieces, late, never, too large, too small. */
export const bodies: readonly WireCase[] = [
  {
    name: "sends its message byte by byte",
    steps: [...whole].flatMap((byte): Step[] => [send(Buffer.of(byte)), { pauseMs: 1 }]).concat("half-close"),
    ends: ANSWERED,
  },
  { name: "half-closes late", steps: [send(whole), pause, "half-close"], ends: ANSWERED },
  { name: "half-closes at once, without a message", steps: ["half-close"], ends: "12", handler: [] },
  {
    name: "half-closes a stream at once, without a message",
    method: streamComplete,
    steps: ["half-close"],
    ends: "12",
    handler: [],
  },
  { name: "ends with its headers", isBodiless: true, steps: [], ends: "12", handler: [] },
  {
    name: "ends its call of a stream with its headers",
    method: streamComplete,
    isBodiless: true,
    steps: [],
    ends: "12",
    handler: [],
  },
  {
    name: "sends trailers after its message",
    trailers: { "own-name": "late", "grpc-status": "5" },
    steps: sends(whole),
    ends: ANSWERED,
  },
  {
    name: "never sends its body",
    server: "impatient",
    steps: [{ await: "answer" }],
    ends: INVALID,
    handler: [],
  },
  {
    name: "never finishes its message",
    server: "impatient",
    steps: [send(whole.subarray(0, 7)), { await: "answer" }],
    ends: INVALID,
    handler: [],
  },
  {
    name: "never half-closes",
    server: "impatient",
    steps: [send(whole), { await: "answer" }],
    ends: INVALID,
    handler: [],
    lingers: true,
  },
  {
    name: "never half-closes its call of a stream",
    server: "impatient",
    method: streamComplete,
    steps: [send(whole), { await: "answer" }],
    ends: INVALID,
    handler: [],
  },
  { name: "sends an empty message", steps: sends(framed(new Uint8Array())), ends: ANSWERED },
  {
    name: "sends an empty message for a stream",
    method: streamComplete,
    steps: sends(framed(new Uint8Array())),
    ends: "0 with 3 messages",
  },
  { name: "sends a message of the limit", steps: sends(framed(exactly(65_536))), ends: ANSWERED },
  { name: "sends a message one byte beyond the limit", steps: sends(framed(exactly(65_537))), ends: "8", handler: [] },
  {
    name: "sends a message one byte beyond the limit for a stream",
    method: streamComplete,
    steps: sends(framed(exactly(65_537))),
    ends: "8",
    handler: [],
  },
  {
    name: "declares 4 GiB and sends nothing of it",
    steps: [send(framed(new Uint8Array(), { length: 0xffff_ffff })), { await: "answer" }],
    ends: "8",
    handler: [],
  },
  {
    name: "declares 2 GiB and sends a little of it",
    steps: [send(framed(Buffer.alloc(100), { length: 0x8000_0000 })), { await: "answer" }],
    ends: "8",
    handler: [],
    lingers: true,
  },
  {
    name: "sends a megabyte where the limit is less",
    steps: [send(framed(Buffer.alloc(1_000_000))), "half-close"],
    ends: "8",
    handler: [],
  },
  // Of the answer's bytes, 46 are around the text.
  { name: "gets an answer of the limit", steps: asks(`bytes=${262_144 - 46}`), ends: ANSWERED },
  { name: "gets an answer one byte beyond the limit", steps: asks(`bytes=${262_145 - 46}`), ends: "8" },
  {
    name: "gets a message beyond the limit in a stream",
    method: streamComplete,
    steps: sends(framed(message("bytes=262145"))),
    ends: "8",
  },
  { name: "gets an empty answer", steps: sends(framed(message("bytes=0"))), ends: ANSWERED },
  { name: "sends half a prefix", steps: sends(whole.subarray(0, 3)), ends: INVALID, handler: [] },
  { name: "sends a prefix alone", steps: sends(whole.subarray(0, 5)), ends: INVALID, handler: [] },
  { name: "sends half a message", steps: sends(whole.subarray(0, -1)), ends: INVALID, handler: [] },
  {
    name: "sends half a message for a stream",
    method: streamComplete,
    steps: sends(whole.subarray(0, -1)),
    ends: INVALID,
    handler: [],
  },
  { name: "sends two messages", steps: sends(whole, whole), ends: "12", handler: [] },
  {
    name: "sends two messages for a stream",
    method: streamComplete,
    steps: sends(whole, whole),
    ends: "12",
    handler: [],
  },
  {
    name: "sends a second message later",
    steps: [send(whole), pause, send(whole), "half-close"],
    ends: "12",
    handler: [],
  },
  {
    name: "sends a second message later than the first and never finishes it",
    server: "impatient",
    steps: [send(whole), pause, send(whole.subarray(0, 6)), { await: "answer" }],
    ends: INVALID,
    handler: [],
  },
  { name: "sends a message and a byte", steps: sends(whole, Buffer.of(0)), ends: INVALID, handler: [] },
  { name: "sends a message and a prefix", steps: sends(whole, whole.subarray(0, 5)), ends: INVALID, handler: [] },
  {
    name: "sends a message and a byte for a stream",
    method: streamComplete,
    steps: sends(whole, Buffer.of(0)),
    ends: INVALID,
    handler: [],
  },
  ...[2, 3, 128, 255].map(
    (flags): WireCase => ({
      name: `sends the reserved flags ${flags}`,
      steps: sends(framed(message("\nx"), { flags })),
      ends: INVALID,
    }),
  ),
  {
    name: "sends text instead of a frame",
    steps: sends(Buffer.from("GET / HTTP/1.1\r\n\r\n")),
    ends: "8",
    handler: [],
  },
];
