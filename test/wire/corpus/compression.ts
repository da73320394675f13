import { deflateSync, gzipSync } from "node:zlib";
import { asks, framed, message, sends, streamComplete, type WireCase } from "../case.ts";

const gzip = { "grpc-encoding": "gzip" };
const accepts = (value: string) => ({ "grpc-accept-encoding": value });
const packed = (script: string) => framed(gzipSync(message(script)), { flags: 1 });
const ANSWERED = "0 with 1 message";
const INVALID = "3 INVALID_REQUEST";
const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024));

/** Compression of requests and of answers. */
export const compression: readonly WireCase[] = [
  { name: "compresses its message", headers: gzip, steps: sends(packed("\nx")), ends: ANSWERED },
  { name: "says gzip and compresses nothing", headers: gzip, steps: asks("\nx"), ends: ANSWERED },
  { name: "says identity", headers: { "grpc-encoding": "identity" }, steps: asks("\nx"), ends: ANSWERED },
  { name: "says an empty encoding", headers: { "grpc-encoding": "" }, steps: asks("\nx"), ends: "12" },
  { name: "says GZIP in capitals", headers: { "grpc-encoding": "GZIP" }, steps: sends(packed("")), ends: "12" },
  ...["br", "snappy", "deflate", "gzip, identity", "x-gzip"].map(
    (encoding): WireCase => ({
      name: `says the encoding ${encoding}, which is unknown`,
      headers: { "grpc-encoding": encoding },
      steps: asks(""),
      ends: "12",
      handler: [],
    }),
  ),
  { name: "compresses its message and says no encoding", steps: sends(packed("")), ends: INVALID, handler: [] },
  {
    name: "compresses its message and says identity",
    headers: { "grpc-encoding": "identity" },
    steps: sends(packed("")),
    ends: INVALID,
    handler: [],
  },
  {
    name: "sends garbage as gzip",
    headers: gzip,
    steps: sends(framed(Buffer.from("this is no gzip at all"), { flags: 1 })),
    ends: INVALID,
    handler: [],
  },
  {
    name: "sends an empty message as gzip",
    headers: gzip,
    steps: sends(framed(new Uint8Array(), { flags: 1 })),
    ends: ANSWERED,
  },
  {
    name: "sends zlib as gzip",
    headers: gzip,
    steps: sends(framed(deflateSync(message("")), { flags: 1 })),
    ends: INVALID,
    handler: [],
  },
  {
    name: "sends half of a gzip",
    headers: gzip,
    steps: sends(framed(gzipSync(message(`\n${"x".repeat(99)}`)).subarray(0, 20), { flags: 1 })),
    ends: INVALID,
    handler: [],
  },
  {
    name: "sends gzip with a wrong checksum",
    headers: gzip,
    steps: sends(framed(withLastByteFlipped(gzipSync(message("\nx"))), { flags: 1 })),
    ends: INVALID,
    handler: [],
  },
  {
    name: "sends gzip with bytes after it",
    headers: gzip,
    steps: sends(framed(Buffer.concat([gzipSync(message("\nx")), Buffer.from("junk")]), { flags: 1 })),
    ends: INVALID,
  },
  {
    name: "sends two gzip members, whose messages make one",
    headers: gzip,
    steps: sends(framed(Buffer.concat([gzipSync(message("\nx")), gzipSync(message("\ny"))]), { flags: 1 })),
    ends: ANSWERED,
  },
  {
    name: "sends a bomb",
    headers: gzip,
    steps: sends(framed(bomb, { flags: 1 })),
    ends: "8",
    handler: [],
  },
  {
    name: "sends a bomb for a stream",
    method: streamComplete,
    headers: gzip,
    steps: sends(framed(bomb, { flags: 1 })),
    ends: "8",
    handler: [],
  },
  {
    name: "compresses a message of the limit",
    headers: gzip,
    steps: sends(framed(gzipSync(unknownField(65_536, "x")), { flags: 1 })),
    ends: ANSWERED,
  },
  {
    name: "compresses a message one byte beyond the limit",
    headers: gzip,
    steps: sends(framed(gzipSync(unknownField(65_537, "x")), { flags: 1 })),
    ends: "8",
    handler: [],
  },
  {
    name: "compresses a message of the limit, which grows by it",
    headers: gzip,
    steps: sends(framed(gzipSync(unknownField(65_536, "noise")), { flags: 1 })),
    ends: "8",
    handler: [],
  },
  {
    name: "compresses two messages",
    headers: gzip,
    steps: sends(packed(""), packed("")),
    ends: "12",
    handler: [],
  },
  { name: "compresses and gets a large answer", headers: gzip, steps: sends(packed("bytes=5000")), ends: ANSWERED },
  ...["gzip", "gzip,identity", "identity, gzip", "br,gzip", "identity", "br", "", "gzip;q=0", "GZIP", "*"].flatMap(
    (value): WireCase[] => [
      {
        name: `accepts ${JSON.stringify(value)} and gets a large answer`,
        headers: accepts(value),
        steps: asks("bytes=5000"),
        ends: ANSWERED,
      },
      {
        name: `accepts ${JSON.stringify(value)} and gets a small answer`,
        headers: accepts(value),
        steps: asks("bytes=5"),
        ends: ANSWERED,
      },
    ],
  ),
  ...[1019, 1020, 1021, 1022, 1023, 1024].map(
    (bytes): WireCase => ({
      name: `accepts gzip and gets a stream whose messages have ${bytes} characters`,
      method: streamComplete,
      headers: accepts("gzip"),
      steps: asks(`messages=2 bytes=${bytes}`),
      ends: "0 with 2 messages",
    }),
  ),
  {
    name: "accepts gzip and gets an error",
    headers: accepts("gzip"),
    steps: asks("then=fail:CACHE_MISS"),
    ends: "9 CACHE_MISS",
  },
  {
    name: "accepts gzip and gets an answer beyond the limit, which compressed is within it",
    headers: accepts("gzip"),
    steps: asks("bytes=300000"),
    ends: "8",
  },
];

/** A message of so many bytes, all in a field that is not known; of noise, it cannot be compressed. */
function unknownField(bytes: number, of: "x" | "noise"): Buffer {
  const content = Buffer.alloc(bytes - 4, of);
  let state = 1;
  for (let index = 0; of === "noise" && index < content.length; index += 1) {
    // xorshift, so that every run sends the same.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    content.writeUInt8(state & 0xff, index);
  }
  const { length } = content;
  const head = [(15 << 3) | 2, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14];
  return Buffer.concat([Buffer.from(head), content]);
}

function withLastByteFlipped(bytes: Buffer): Buffer {
  const broken = Buffer.from(bytes);
  // The checksum is in the last eight bytes, before the length (RFC 1952).
  broken.writeUInt8(broken.readUInt8(broken.length - 8) ^ 0xff, broken.length - 8);
  return broken;
}
