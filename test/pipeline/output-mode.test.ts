import assert from "node:assert/strict";
import { modeFor } from "../../src/pipeline/build-context/output-mode.ts";

const node = { type: "object", properties: {} };

describe("the mode in which JSON is asked for", () => {
  it("is the model's own where the answer is an object, said at the root or by what the root refers to", () => {
    for (const mode of ["json_schema", "json_object", "prompt"] as const) {
      assert.equal(modeFor(mode, node), mode);
      assert.equal(modeFor(mode, { $ref: "#/$defs/node", $defs: { node } }), mode);
      assert.equal(modeFor(mode, { $ref: "#/definitions/node", definitions: { node } }), mode);
    }
  });

  it("is words alone where the answer may be anything else: the native modes could not say it", () => {
    const others = [
      true,
      {},
      { type: "array" },
      { type: ["object", "null"] },
      { properties: {} },
      { anyOf: [node, { type: "null" }] },
      { $ref: "#/$defs/list", $defs: { list: { type: "array" } } },
      { $ref: "#/$defs/toString", $defs: {} },
      { $ref: "#anchor" },
    ];
    for (const definition of others) {
      assert.equal(modeFor("json_schema", definition), "prompt");
      assert.equal(modeFor("json_object", definition), "prompt");
    }
  });
});
