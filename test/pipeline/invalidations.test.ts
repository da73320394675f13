import assert from "node:assert/strict";
import { Invalidations } from "../../src/pipeline/invalidations.ts";
import { fakeClock } from "../support/clock.ts";

const tags = { tenant: "acme", promptName: "summarize", promptVersion: "v1", models: ["fast", "strong"] };
const purge = (filter: object) => ({ kind: "purge" as const, filter });

describe("invalidations", () => {
  it("keep an answer from being stored whose making began before a purge that fits it", () => {
    const invalidations = new Invalidations(fakeClock());
    const begun = invalidations.count;
    assert.equal(invalidations.purgedSince(begun, tags), false);
    for (const filter of [{ tenant: "other" }, { promptName: "summarize", promptVersion: "v2" }, { model: "slow" }]) {
      invalidations.add(purge(filter));
    }
    invalidations.add({ kind: "key", key: "k" });
    assert.equal(invalidations.purgedSince(begun, tags), false);
    invalidations.add(purge({ tenant: "acme", model: "strong" }));
    assert.equal(invalidations.purgedSince(begun, tags), true);
    assert.equal(invalidations.purgedSince(invalidations.count, tags), false);
  });

  it("know what was stored so lately that a purge elsewhere may have passed it by", () => {
    const clock = fakeClock();
    const invalidations = new Invalidations(clock);
    invalidations.storing("old", tags);
    clock.advance(10_001);
    invalidations.storing("new", tags);
    invalidations.storing("other", { ...tags, tenant: "other" });
    assert.deepEqual(invalidations.storedLately({ tenant: "acme" }), ["new"]);
    assert.deepEqual(invalidations.storedLately({}), ["new", "other"]);
    assert.deepEqual(invalidations.storedLately({ model: "slow" }), []);
  });

  it("say yes in doubt: of more purges than are remembered", () => {
    const invalidations = new Invalidations(fakeClock());
    const begun = invalidations.count;
    for (let n = 0; n < 256; n++) invalidations.add(purge({ tenant: `t${n}` }));
    assert.equal(invalidations.purgedSince(begun, tags), false);
    const later = invalidations.count;
    invalidations.add(purge({ tenant: "t256" }));
    assert.equal(invalidations.purgedSince(begun, tags), true);
    assert.equal(invalidations.purgedSince(later, tags), false);
  });
});
