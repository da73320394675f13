import assert from "node:assert/strict";
import {
  decodeInvalidation,
  encodeInvalidation,
  MESSAGE_FIELD,
} from "../../../src/adapters/redis-cache/invalidation-message.ts";
import type { Invalidation } from "../../../src/core/cache.ts";

const decode = (text: string) => decodeInvalidation([MESSAGE_FIELD, text]);

describe("messages of invalidations", () => {
  it("come back as they were", () => {
    const invalidations: Invalidation[] = [
      { kind: "key", key: "0a1b" },
      { kind: "purge", filter: {} },
      { kind: "purge", filter: { tenant: "acme" } },
      { kind: "purge", filter: { tenant: "", promptName: "sum-up", promptVersion: "v3", model: "fast" } },
    ];
    for (const invalidation of invalidations) {
      assert.deepEqual(decode(encodeInvalidation("me", invalidation)), { sender: "me", invalidation });
    }
  });

  it("are skipped when foreign, damaged, or of a kind from the future", () => {
    const texts = [
      ...["", "x", "null", "7", "[]", "{}", '"key"', '{"sender":"a"}', '{"kind":"key","key":"k"}'],
      ...['{"sender":1,"kind":"key","key":"k"}', '{"sender":"a","kind":"key","key":7}', '{"sender":"a","kind":"key"}'],
      ...['{"sender":"a","kind":"all"}', '{"sender":"a","kind":"key","key":"k","more":1}'],
      ...['{"sender":"a","kind":"key","key":"k","filter":{}}', '{"sender":"a","kind":"purge","key":"k","filter":{}}'],
      ...['{"sender":"a","kind":"purge"}', '{"sender":"a","kind":"purge","filter":[]}'],
      ...['{"sender":"a","kind":"purge","filter":null}', '{"sender":"a","kind":"purge","filter":{"tenant":null}}'],
      ...['{"sender":"a","kind":"purge","filter":{"tenant":1}}', '{"sender":"a","kind":"purge","filter":{"year":"1"}}'],
      encodeInvalidation("a", { kind: "key", key: "k".repeat(5_000) }),
    ];
    for (const text of texts) assert.equal(decode(text), undefined, text.slice(0, 80));
    const good = encodeInvalidation("a", { kind: "key", key: "k" });
    assert.ok(decode(good));
    for (const fields of [[], ["other", good], [MESSAGE_FIELD], [MESSAGE_FIELD, good, "more", "fields"]]) {
      assert.equal(decodeInvalidation(fields), undefined);
    }
    for (let length = 0; length < good.length; length++) assert.equal(decode(good.slice(0, length)), undefined);
  });
});
