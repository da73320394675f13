import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Frame, FrameReader, joined, PREFIX_BYTES } from "../../src/rpc/wire/message/framing.ts";

const plain = (...bytes: Uint8Array[]): Frame[] => bytes.map((message) => ({ bytes: message, flags: 0 }));

function framed(...frames: Frame[]): Buffer {
  return joined(
    frames,
    frames.reduce((sum, { bytes }) => sum + PREFIX_BYTES + bytes.byteLength, 0),
  );
}

/** Everything that can be read of a body that comes in these pieces. */
function readAll(reader: FrameReader, pieces: Iterable<Uint8Array>): Frame[] {
  const read: Frame[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let next = reader.next(); next; next = reader.next()) read.push(next);
  }
  return read.map(({ bytes, flags }) => ({ bytes: Buffer.from(bytes), flags }));
}

describe("a reader of frames", () => {
  const frames: Frame[] = [
    ...plain(Buffer.from("one"), Buffer.alloc(0), Buffer.alloc(3000, "x")),
    { bytes: Buffer.from("zipped"), flags: 1 },
  ];
  const body = framed(...frames);

  for (const size of [1, 2, 5, 7, 1024, body.length]) {
    it(`reads messages that come in pieces of ${size} bytes`, () => {
      const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
        body.subarray(index * size, (index + 1) * size),
      );
      const reader = new FrameReader(3000);
      assert.deepEqual(readAll(reader, pieces), frames);
      assert.equal(reader.isEmpty, true);
    });
  }

  it("knows that a body was cut, in the prefix, right after it, and in the message", () => {
    for (const length of [1, PREFIX_BYTES, PREFIX_BYTES + 2]) {
      const reader = new FrameReader(100);
      assert.deepEqual(readAll(reader, [framed(...plain(Buffer.from("one"))).subarray(0, length)]), []);
      assert.equal(reader.isEmpty, false, `${length} bytes`);
    }
  });

  it("refuses a message by its prefix alone, and takes one of the limit", () => {
    assert.equal(readAll(new FrameReader(3), [framed(...plain(Buffer.from("one")))]).length, 1);
    const isTooLarge = (error: unknown) => error instanceof ConnectError && error.code === Code.ResourceExhausted;
    for (const prefix of [Buffer.of(0, 0, 0, 0, 4), Buffer.of(0, 255, 255, 255, 255)]) {
      assert.throws(() => readAll(new FrameReader(3), [prefix]), isTooLarge);
    }
  });

  it("refuses flags that no request has", () => {
    for (const flags of [2, 3, 128]) {
      assert.throws(() => readAll(new FrameReader(3), [Buffer.of(flags, 0, 0, 0, 0)]), /unknown flags/);
    }
  });
});
