import assert from "node:assert/strict";
import { Invalidations } from "../../src/pipeline/invalidations.ts";

const tags = { tenant: "acme", promptName: "summarize", promptVersion: "v1", models: ["fast", "strong"] };
const purge = (filter: object) => ({ kind: "purge" as const, filter });

describe("invalidations", () => {
  it("keep an answer from being stored whose making began before a purge that fits it", () => {
    const invalidations = new Invalidations();
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

  it("say yes in doubt: of more purges than are remembered", () => {
    const invalidations = new Invalidations();
    const begun = invalidations.count;
    for (let n = 0; n < 256; n++) invalidations.add(purge({ tenant: `t${n}` }));
    assert.equal(invalidations.purgedSince(begun, tags), false);
    const later = invalidations.count;
    invalidations.add(purge({ tenant: "t256" }));
    assert.equal(invalidations.purgedSince(begun, tags), true);
    assert.equal(invalidations.purgedSince(later, tags), false);
  });
});
