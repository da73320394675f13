import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { configKeys } from "../../src/config/keys.ts";
import { withKeyTable } from "./reference.ts";

describe("docs/configuration.md", () => {
  it("lists exactly the keys of the schema, with their types and defaults", () => {
    const document = readFileSync("docs/configuration.md", "utf8");
    assert.equal(document, withKeyTable(document));
  });

  it("has a meaning for every key", () => {
    const silent = configKeys.filter(({ path, description }) => description === "" && !path.endsWith(".*"));
    assert.deepEqual(silent, []);
  });
});
