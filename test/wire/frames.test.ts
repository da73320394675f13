import assert from "node:assert/strict";
import { until } from "../rpc/support/in-memory.ts";
import { closeRawConnections, frame, PREFACE, rawConnection, SETTINGS } from "../rpc/support/raw-socket.ts";
import { closeServers } from "../rpc/support/test-server.ts";
import { complete, framed, message } from "./case.ts";
import { wires } from "./wire.ts";
import { startWireServer } from "./wire-server.ts";

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const END_STREAM = 1;
const END_HEADERS = 4;
const CANCEL = 8;

/** A header in HPACK, literal and never in a table (RFC 7541, 6.2.2), so that any name may be sent. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
}

const proper: readonly (readonly [string, string])[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", `/${complete.parent.typeName}/${complete.name}`],
  [":authority", "127.0.0.1"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];

const headers = (flags: number, ...more: readonly (readonly [string, string])[]) =>
  frame(
    HEADERS,
    END_HEADERS | flags,
    1,
    Buffer.concat([...proper, ...more].map(([name, value]) => literal(name, value))),
  );
const data = (bytes: Uint8Array, flags = 0) => frame(DATA, flags, 1, bytes);
const reset = (code: number) => frame(RST_STREAM, 0, 1, Buffer.of(0, 0, 0, code));
const body = framed(message("then=hang"));
const answered = framed(message(""));

interface FrameCase {
  readonly name: string;
  /** What is sent, one part after the other. */
  readonly sends: readonly Buffer[];
  /** The frames of the server that end something: `RST_STREAM 1`, `GOAWAY 2`, `END_STREAM`. */
  readonly gets: readonly string[];
  readonly handler?: readonly string[];
}

/** What clients of node:http2 cannot send: it half-closes before it resets, and checks its headers. */
const cases: readonly FrameCase[] = [
  { name: "resets its stream before its body", sends: [headers(0), reset(CANCEL)], gets: [], handler: [] },
  {
    name: "resets its stream in the middle of its message",
    sends: [headers(0), data(body.subarray(0, 9)), reset(CANCEL)],
    gets: [],
    handler: [],
  },
  {
    name: "resets its stream after its message and before half-close",
    sends: [headers(0), data(body), reset(CANCEL)],
    gets: [],
    handler: [],
  },
  {
    name: "resets its stream with NO_ERROR before half-close",
    sends: [headers(0), data(body), reset(0)],
    gets: [],
    handler: [],
  },
  {
    name: "resets its stream at once after half-close",
    sends: [headers(0), data(body, END_STREAM), reset(CANCEL)],
    gets: [],
    handler: ["Complete starts for local within 10 s", "told CANCELLED", "ends"],
  },
  {
    name: "half-closes by an empty frame",
    sends: [headers(0), data(answered), data(Buffer.alloc(0), END_STREAM)],
    gets: ["END_STREAM"],
  },
  {
    name: "sends a header's name in capitals",
    sends: [headers(0, ["Own-Name", "x"]), data(answered, END_STREAM)],
    gets: ["RST_STREAM 1"],
    handler: [],
  },
  {
    name: "sends a header of the connection",
    sends: [headers(0, ["connection", "close"]), data(answered, END_STREAM)],
    gets: ["RST_STREAM 1"],
    handler: [],
  },
  {
    name: "sends a body on a stream that is half-closed",
    sends: [Buffer.concat([headers(END_STREAM), data(answered)])],
    gets: ["GOAWAY 5"],
    handler: [],
  },
  {
    name: "sends a body on a stream that was never opened",
    sends: [data(answered)],
    gets: ["GOAWAY 1"],
    handler: [],
  },
];

/** The frames that end something, of all that was received, and whether our ping was answered. */
function read(received: Buffer): { readonly ends: readonly string[]; readonly isPinged: boolean } {
  const ends: string[] = [];
  let isPinged = false;
  for (let at = 0; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    const type = received.readUInt8(at + 3);
    const flags = received.readUInt8(at + 4);
    if (type === RST_STREAM) ends.push(`RST_STREAM ${received.readUInt32BE(at + 9)}`);
    if (type === GOAWAY) ends.push(`GOAWAY ${received.readUInt32BE(at + 13)}`);
    if ((type === HEADERS || type === DATA) && flags & END_STREAM) ends.push("END_STREAM");
    if (type === PING) isPinged = true;
  }
  return { ends, isPinged };
}

for (const wire of wires) {
  describe(`over the ${wire} wire, a caller that speaks in frames`, () => {
    afterEach(async () => {
      closeRawConnections();
      await closeServers();
    });

    for (const { name, sends, gets, handler } of cases) {
      it(name, async () => {
        const server = await startWireServer(wire);
        const { socket, received } = await rawConnection(server);
        const heard = () => read(Buffer.from(received(), "latin1"));
        socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS]));
        for (const part of sends) {
          socket.write(part);
          await new Promise((resolve) => setTimeout(resolve, 15));
        }
        if (!socket.destroyed) socket.write(frame(PING, 0, 0, Buffer.alloc(8)));
        await until(() => (socket.destroyed || heard().isPinged) && heard().ends.length >= gets.length);
        await until(() => server.calls.inFlight() === 0);
        assert.deepEqual(heard().ends, gets);
        if (handler) assert.deepEqual(server.journal, handler);
      });
    }
  });
}
