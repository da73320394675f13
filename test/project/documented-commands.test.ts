import assert from "node:assert/strict";
import { documentedCommands, printsAsDocumented } from "../../tools/markdown/documented-commands.ts";

describe("the reader of documented commands", () => {
  it("takes the blocks marked to be run, with their tiers and the output that follows", () => {
    const markdown = [
      "```sh\nnpm start\n```",
      "```sh run curl\ncurl x\n```\nprints\n```json output\n{…}\n```",
      "```sh run\necho\n```",
      "```json\n{}\n```",
    ].join("\n");
    assert.deepEqual(documentedCommands(markdown), [
      { script: "curl x\n", line: 4, tiers: ["curl"], output: "{…}\n" },
      { script: "echo\n", line: 11, tiers: [], output: undefined },
    ]);
  });

  it("refuses an output that follows no command that is run", () => {
    assert.throws(
      () => documentedCommands("```sh\nnpm start\n```\n```text output\nx\n```\n"),
      /line 4 follows no command/,
    );
  });
});

describe("the comparison of printed with documented output", () => {
  const same: [string, string][] = [
    ["a\nb\n", "a\nb\n"],
    ["a  \n\n", "a"],
    ["call 0193-77 took 3 ms\n", "call … took … ms\n"],
    ["{\n  x\n  y\n}\n", "{\n…\n}\n"],
    ["{\n}\n", "{\n  …\n}\n"],
    ["a.b*(c)\n", "a.b*(c)\n"],
  ];
  for (const [printed, documented] of same) {
    it(`takes ${JSON.stringify(printed)} for ${JSON.stringify(documented)}`, () =>
      assert.equal(printsAsDocumented(printed, documented), true));
  }

  const other: [string, string][] = [
    ["a\nb\n", "a\n"],
    ["aXb\n", "a.b\n"],
    ["call 1\ntook 2\n", "call … took 2\n"],
    ["x {\n}\n", "{\n…\n}\n"],
    ["", "a\n"],
  ];
  for (const [printed, documented] of other) {
    it(`does not take ${JSON.stringify(printed)} for ${JSON.stringify(documented)}`, () =>
      assert.equal(printsAsDocumented(printed, documented), false));
  }
});
