import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import { WireType } from "@bufbuild/protobuf/wire";
import {
  decodeEntry,
  decodeTags,
  encodeEntry,
  MAX_COMPLETION_BYTES,
  MAX_ENTRY_BYTES,
  MAX_HEAD_BYTES,
} from "../../../src/adapters/redis-cache/entry.ts";
import type { CacheEntry } from "../../../src/core/cache.ts";
import { entryOf, keyOf } from "./fixture.ts";

const key = keyOf("one");
const tags = { tenant: "acme", promptName: "sum-up", promptVersion: "v3", models: ["fast", "großes/modell"] };
const small = entryOf("an answer", tags);
const large = entryOf("an answer that goes on. ".repeat(1_000), tags);
/** Text always shrinks; a field from a later version of the contract may not. */
const unshrinkable = entryOf("an answer", tags);
unshrinkable.completion.$unknown = [
  { no: 9_999, wireType: WireType.LengthDelimited, data: Buffer.concat([Buffer.of(0xf0, 0x2e), randomBytes(6_000)]) },
];
const all = { small, large, unshrinkable };

async function encoded(entry: CacheEntry): Promise<Buffer> {
  const bytes = await encodeEntry(key, entry);
  assert.ok(bytes);
  return bytes;
}

/** An entry with a right sum, whatever is in it. */
function forged(encoding: number, head: Buffer, payload: Buffer, length = head.byteLength): Buffer {
  const entry = Buffer.concat([Buffer.of(2, encoding, 0, 0, 0, 0, length >> 8, length & 0xff), head, payload]);
  entry.writeUInt32BE(crc32(entry.subarray(6), crc32(entry.subarray(1, 2), crc32(key))), 2);
  return entry;
}

const head = Buffer.from(JSON.stringify(["acme", "", "", []]));

describe("entries of the Redis cache", () => {
  for (const [name, entry] of Object.entries(all)) {
    it(`come back as they were: ${name}`, async () => {
      assert.deepEqual(await decodeEntry(key, await encoded(entry)), entry);
    });

    it(`are a miss with any one byte damaged: ${name}`, async () => {
      const bytes = await encoded(entry);
      const step = Math.ceil(bytes.byteLength / 1_500);
      for (let i = 0; i < bytes.byteLength; i += i < 200 ? 1 : step) {
        for (const flip of [1, 0x80, 0xff]) {
          const damaged = Buffer.from(bytes);
          damaged.writeUInt8(bytes.readUInt8(i) ^ flip, i);
          assert.equal(await decodeEntry(key, damaged), undefined, `byte ${i} flipped by ${flip}`);
        }
      }
    });

    it(`are a miss when cut, extended or under another key: ${name}`, async () => {
      const bytes = await encoded(entry);
      const step = Math.ceil(bytes.byteLength / 1_500);
      for (let length = 0; length < bytes.byteLength; length += length < 200 ? 1 : step) {
        assert.equal(await decodeEntry(key, bytes.subarray(0, length)), undefined, `${length} bytes`);
      }
      assert.equal(await decodeEntry(key, Buffer.concat([bytes, Buffer.of(0)])), undefined);
      assert.equal(await decodeEntry(keyOf("another"), bytes), undefined);
    });

    it(`show their tags without the rest: ${name}`, async () => {
      assert.deepEqual(decodeTags((await encoded(entry)).subarray(0, MAX_HEAD_BYTES)), tags);
    });
  }

  it("are shrunk above 4 KiB, where that makes them smaller", async () => {
    assert.ok((await encoded(large)).byteLength < 1_000);
    assert.equal((await encoded(unshrinkable))[1], 0);
  });

  it("are a miss when foreign", async () => {
    for (const text of ["", "x", '{"text":"from another program"}', "\u0001\u0000", "\u0002".repeat(100)]) {
      assert.equal(await decodeEntry(key, Buffer.from(text)), undefined);
    }
    assert.ok(await decodeEntry(key, forged(0, head, Buffer.of())), "the forgery itself is right");
    for (const [what, bytes] of Object.entries({
      "an unknown encoding": forged(2, head, Buffer.of()),
      "deflated that is not": forged(1, head, Buffer.from("not deflated")),
      "no completion": forged(0, head, Buffer.of(0xff, 0xff)),
      "a length beyond the end": forged(0, head, Buffer.of(), 2_000),
      "a length beyond the bound": forged(0, Buffer.alloc(60_000, " "), Buffer.of()),
    })) {
      assert.equal(await decodeEntry(key, bytes), undefined, what);
    }
  });

  it("are a miss without proper tags, which are none for a purge either", async () => {
    const texts = [
      "",
      "[",
      "null",
      "{}",
      "[]",
      '["a","b","c"]',
      '["a","b","c",[],1]',
      '["a","b",1,[]]',
      '["a","b","c",[1]]',
    ];
    for (const text of [...texts, '["a","b","c",{"length":0}]', "[".repeat(2_000)]) {
      const bytes = forged(0, Buffer.from(text), Buffer.of());
      assert.equal(await decodeEntry(key, bytes), undefined, text);
      assert.equal(decodeTags(bytes), undefined, text);
    }
  });

  it("do not unpack to more than a completion may have", async () => {
    const bomb = deflateRawSync(Buffer.alloc(MAX_COMPLETION_BYTES * 4));
    assert.equal(await decodeEntry(key, forged(1, head, bomb)), undefined);
    assert.equal(await decodeEntry(key, Buffer.alloc(MAX_ENTRY_BYTES + 1, 2)), undefined);
  });

  it("are not made of completions above 4 MiB or tags above 2 KiB", async () => {
    assert.equal(await encodeEntry(key, entryOf("x".repeat(MAX_COMPLETION_BYTES + 1))), undefined);
    assert.equal(await encodeEntry(key, entryOf("x", { tenant: "t".repeat(2_049) })), undefined);
    const largest = entryOf(randomBytes(MAX_COMPLETION_BYTES / 2 - 100).toString("hex"), tags);
    assert.deepEqual(await decodeEntry(key, await encoded(largest)), largest);
  });

  it("are a miss, never an error, for random bytes, flips and splices", async () => {
    const sources = await Promise.all(Object.values(all).map(encoded));
    const others = await Promise.all(Object.values(all).map((entry) => encodeEntry(keyOf("another"), entry)));
    const pool = [...sources, ...others.filter((bytes) => bytes !== undefined), randomBytes(300)];
    let seed = 42;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    const pick = () => pool[random(pool.length)] ?? Buffer.of();
    for (let round = 0; round < 5_000; round++) {
      const [front, back] = [pick(), pick()];
      const bytes = Buffer.concat([front.subarray(0, random(front.length)), back.subarray(random(back.length))]);
      for (let flips = random(4); flips > 0 && bytes.length > 0; flips--) bytes[random(bytes.length)] = random(256);
      if (sources.some((source) => source.equals(bytes))) continue;
      assert.equal(await decodeEntry(key, bytes), undefined, `round ${round}`);
      decodeTags(bytes);
    }
  });
});
