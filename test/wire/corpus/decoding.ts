import { framed, sends, streamComplete, type WireCase } from "../case.ts";

const ANSWERED = "0 with 1 message";
const INVALID = "3 INVALID_REQUEST";

/** CompleteRequest.input, then CompletionInput.prompt.variables: a Struct, whose values may hold Structs. */
function nestedStruct(levels: number): Uint8Array {
  let value: Buffer = Buffer.alloc(0);
  for (let level = 0; level < levels; level += 1) {
    const fields = lengthDelimited(1, Buffer.concat([lengthDelimited(1, Buffer.from("k")), lengthDelimited(2, value)]));
    value = lengthDelimited(5, fields);
  }
  return lengthDelimited(1, lengthDelimited(1, lengthDelimited(3, value.subarray(headOf(value)))));
}

function headOf(bytes: Buffer): number {
  let index = 1;
  while (index < bytes.length && bytes.readUInt8(index) >= 128) index += 1;
  return Math.min(index + 1, bytes.length);
}

function lengthDelimited(field: number, bytes: Uint8Array): Buffer {
  const head = [(field << 3) | 2];
  let { length } = bytes;
  for (; length >= 128; length = Math.floor(length / 128)) head.push((length % 128) | 128);
  return Buffer.concat([Buffer.from([...head, length]), bytes]);
}

const messages: readonly (readonly [kind: string, bytes: Uint8Array, ends: string])[] = [
  ["a field that the contract does not know", lengthDelimited(999 & 15, Buffer.from("new")), ANSWERED],
  ["an unknown group", Buffer.from([0x7b, 0x08, 0x01, 0x7c]), ANSWERED],
  ["a cut message", Buffer.from([10, 30, 26]), INVALID],
  ["a wrong wire type", Buffer.from([0x0f]), INVALID],
  ["field number 0", Buffer.from([0x02, 0x00]), INVALID],
  ["an endless varint", Buffer.alloc(20, 0xff), INVALID],
  ["text that is not UTF-8", Buffer.from([10, 3, 26, 1, 0xff]), INVALID],
  ["text with an encoded surrogate", Buffer.from([10, 5, 26, 3, 0xed, 0xa0, 0x80]), INVALID],
  ["a field with another wire type than the contract's", Buffer.from([0x08, 0x01]), INVALID],
  ["structs nested 20 levels deep", nestedStruct(20), ANSWERED],
  ["structs nested 2,000 levels deep", nestedStruct(2000), INVALID],
  ["groups nested 20,000 levels deep", Buffer.alloc(20_000, 0x7b), INVALID],
];

/** Messages that protobuf may or may not take. */
export const decoding: readonly WireCase[] = [
  ...messages.flatMap(([kind, bytes, ends]): WireCase[] => [
    { name: `sends ${kind}`, steps: sends(framed(bytes)), ends },
    {
      name: `sends ${kind} for a stream`,
      method: streamComplete,
      steps: sends(framed(bytes)),
      ends: ends === ANSWERED ? "0 with 3 messages" : ends,
    },
  ]),
  ...(
    [
      ["a message in JSON", '{"input":{"model":"bytes=3"}}', ANSWERED],
      ["an unknown field in JSON", '{"input":{"modle":"x"}}', INVALID],
      ["a wrong type in JSON", '{"input":{"model":7}}', INVALID],
      ["broken JSON", '{"input":', INVALID],
      ["nothing as JSON", "", INVALID],
      ["a JSON array", "[]", INVALID],
    ] as const
  ).flatMap(([kind, text, ends]): WireCase[] => [
    {
      name: `sends ${kind}`,
      headers: { "content-type": "application/grpc+json" },
      steps: sends(framed(Buffer.from(text))),
      ends,
    },
    {
      name: `sends ${kind} for a stream`,
      method: streamComplete,
      headers: { "content-type": "application/grpc+json" },
      steps: sends(framed(Buffer.from(text))),
      ends: ends === ANSWERED ? "0 with 3 messages" : ends,
    },
  ]),
];
