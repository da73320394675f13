import assert from "node:assert/strict";
import { SseError, type SseEvent, SseReader } from "../../../src/adapters/openai/answer/sse.ts";
import { randomPieces, seededRandom } from "./seeded-cuts.ts";

function read(pieces: readonly (string | Uint8Array)[], limit = 10_000): readonly SseEvent[] {
  const reader = new SseReader(limit);
  const events = pieces.flatMap((piece) => [...reader.push(typeof piece === "string" ? Buffer.from(piece) : piece)]);
  const last = reader.end();
  return last ? [...events, last] : events;
}

function dataOf(...pieces: readonly (string | Uint8Array)[]): readonly string[] {
  return read(pieces).map((event) => event.data);
}

describe("SseReader", () => {
  it("ends lines at LF, CRLF and CR, mixed", () => {
    assert.deepEqual(dataOf("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\ndata: e\n\r\n"), [
      "a",
      "b",
      "c",
      "d",
      "e",
    ]);
  });

  it("takes a CRLF that is cut in two for one line end", () => {
    assert.deepEqual(dataOf("data: a\r", "\ndata: b\r", "\n\r", "\ndata: c\n\n"), ["a\nb", "c"]);
  });

  it("passes over a byte order mark, comments, ids and retry", () => {
    assert.deepEqual(dataOf("\ufeffdata: a\n\n", ": ping\n\n:\nid: 7\nretry: 10\ndata: b\n\n"), ["a", "b"]);
    assert.deepEqual(dataOf(Uint8Array.of(0xef), Uint8Array.of(0xbb), Uint8Array.of(0xbf), "data: a\n\n"), ["a"]);
  });

  it("joins data lines and strips one space only", () => {
    assert.deepEqual(dataOf("data:a\ndata:  b\ndata\ndata:\n\n"), ["a\n b\n\n"]);
  });

  it("gives the name of the event, for that event only", () => {
    assert.deepEqual(read(["event: error\ndata: a\n\ndata: b\n\nevent: x\n\ndata: c\n\n"]), [
      { name: "error", data: "a" },
      { name: "message", data: "b" },
      { name: "message", data: "c" },
    ]);
  });

  it("counts an event whose blank line, or even line end, never came", () => {
    assert.deepEqual(dataOf("data: a\n\ndata: b\n"), ["a", "b"]);
    assert.deepEqual(dataOf("data: a\n\ndata: b"), ["a", "b"]);
  });

  it("refuses invalid UTF-8 after giving the events before it", () => {
    const reader = new SseReader(1_000);
    const seen: string[] = [];
    const bytes = Buffer.concat([Buffer.from("data: a\n\ndata: "), Buffer.of(0xc3, 0x28), Buffer.from("\n\n")]);
    assert.throws(() => {
      for (const event of reader.push(bytes)) seen.push(event.data);
    }, SseError);
    assert.deepEqual(seen, ["a"]);
  });

  it("takes an event of the largest size and refuses one byte more", () => {
    const line = `data: ${"x".repeat(94)}`;
    assert.deepEqual(read([`${line}\n\n`], 100).length, 1);
    assert.throws(() => read([`${line}x\n\n`], 100), SseError);
    assert.throws(
      () =>
        read(
          Array.from({ length: 101 }, () => "x"),
          100,
        ),
      SseError,
    );
    assert.throws(
      () =>
        read(
          Array.from({ length: 30 }, () => "data:\n"),
          100,
        ),
      SseError,
    );
  });

  it("does not add heartbeats up to the limit", () => {
    assert.deepEqual(read([...Array.from({ length: 1_000 }, () => ": ping\n"), "data: a\n\n"], 100), [
      { name: "message", data: "a" },
    ]);
  });

  it("gives the same events at any chunking", () => {
    const text =
      '\ufeff: hi\r\n\r\ndata: Ålesund 🛳 夜行\r\rdata: {"a":1}\ndata: 2\n\nevent: error\r\ndata: x\r\n\r\nid: 1\ndata: [DONE]';
    const bytes = Buffer.from(text);
    const whole = read([bytes]);
    assert.equal(whole.length, 4);
    for (let at = 0; at <= bytes.length; at++)
      assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)]), whole, `cut at ${at}`);
    for (let seed = 0; seed < 300; seed++)
      assert.deepEqual(read(randomPieces(bytes, seededRandom(seed))), whole, `seed ${seed}`);
    assert.deepEqual(read([...bytes].map((byte) => Uint8Array.of(byte))), whole);
  });
});
