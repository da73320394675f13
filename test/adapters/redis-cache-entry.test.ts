import assert from "node:assert/strict";
import { crc32, deflateRawSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { createBreaker, FAILURES_TO_OPEN, OPEN_MS } from "../../src/adapters/redis-cache/breaker.ts";
import { decodeEntry, encodeEntry, MAX_COMPLETION_BYTES } from "../../src/adapters/redis-cache/entry.ts";
import { fakeClock } from "../support/clock.ts";

const small = create(CompletionSchema, { text: "an answer", model: "fast" });
const large = create(CompletionSchema, { text: "an answer that goes on. ".repeat(1_000), model: "fast" });

async function encoded(completion: typeof small): Promise<Buffer> {
  const entry = await encodeEntry("key", completion);
  assert.ok(entry);
  return entry;
}

describe("entries of the Redis cache", () => {
  it("come back as they were, small and large", async () => {
    for (const completion of [small, large])
      assert.deepEqual(await decodeEntry("key", await encoded(completion)), completion);
  });

  it("are shrunk above 4 KiB", async () => {
    assert.ok((await encoded(large)).byteLength < 1_000);
  });

  it("are a miss with any one byte damaged", async () => {
    for (const completion of [small, large]) {
      const entry = await encoded(completion);
      for (let i = 0; i < entry.byteLength; i++) {
        for (const flip of [1, 0x80, 0xff]) {
          const damaged = Buffer.from(entry);
          damaged.writeUInt8(entry.readUInt8(i) ^ flip, i);
          assert.equal(
            await decodeEntry("key", damaged),
            undefined,
            `byte ${i} of ${entry.byteLength}, flipped by ${flip}`,
          );
        }
      }
    }
  });

  it("are a miss when cut, extended, empty or foreign", async () => {
    const entry = await encoded(small);
    for (let length = 0; length < entry.byteLength; length++) {
      assert.equal(await decodeEntry("key", entry.subarray(0, length)), undefined);
    }
    assert.equal(await decodeEntry("key", Buffer.concat([entry, Buffer.of(0)])), undefined);
    assert.equal(await decodeEntry("key", Buffer.from('{"text":"from another program"}')), undefined);
  });

  it("are a miss under another key", async () => {
    assert.equal(await decodeEntry("another key", await encoded(small)), undefined);
  });

  it("do not unpack to more than a completion may have", async () => {
    const bomb = deflateRawSync(Buffer.alloc(MAX_COMPLETION_BYTES * 4));
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(bomb, crc32(Buffer.of(1), crc32("key"))));
    assert.equal(await decodeEntry("key", Buffer.concat([Buffer.of(1, 1), sum, bomb])), undefined);
  });

  it("are not made of completions above 4 MiB", async () => {
    const completion = create(CompletionSchema, { text: "x".repeat(MAX_COMPLETION_BYTES + 1) });
    assert.equal(await encodeEntry("key", completion), undefined);
  });
});

describe("the breaker of the Redis cache", () => {
  it("opens after failures in a row, lets one try after a while, and closes on success", () => {
    const clock = fakeClock();
    const changes: boolean[] = [];
    const breaker = createBreaker(clock, (open) => changes.push(open));
    for (let i = 0; i < FAILURES_TO_OPEN; i++) {
      assert.equal(breaker.allows(), true);
      breaker.failed();
    }
    assert.equal(breaker.allows(), false);
    clock.advance(OPEN_MS);
    assert.deepEqual([breaker.allows(), breaker.allows()], [true, false]);
    breaker.failed();
    assert.equal(breaker.allows(), false);
    clock.advance(OPEN_MS);
    assert.equal(breaker.allows(), true);
    breaker.succeeded();
    assert.deepEqual([breaker.allows(), breaker.allows()], [true, true]);
    assert.deepEqual(changes, [true, false]);
  });

  it("stays closed while failures are not in a row", () => {
    const breaker = createBreaker(fakeClock(), () => assert.fail("it must not open"));
    for (let i = 0; i < 100; i++) {
      breaker.failed();
      breaker.succeeded();
    }
    assert.equal(breaker.allows(), true);
  });
});
