import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROMPT_RULES } from "../../../src/adapters/prompt-files/index.ts";
import { loadGood, render } from "./prompt-sources.ts";

const ROOT = join(import.meta.dirname, "../../..");

describe("docs/prompts.md", () => {
  const docs = readFileSync(join(ROOT, "docs/prompts.md"), "utf8");

  it("shows a prompt that loads and renders", () => {
    const source = /```prompt\n([\s\S]*?)```/.exec(docs)?.[1];
    assert.ok(source);
    const prompt = loadGood(source);
    const messages = render(prompt, JSON.parse(prompt.exampleVariablesText ?? "null"));
    assert.deepEqual(
      messages.map(({ role }) => role),
      ["system", "user"],
    );
    assert.ok(messages[1]?.text.startsWith("Ordered: Desk lamp\n\n<review>\nThe lamp"));
  });

  it("lists exactly the rules that there are", () => {
    const table = docs.slice(docs.indexOf("## Rules"));
    const firstCells = [...table.matchAll(/^\| (.*?) \|/gm)].map(([, cell]) => cell ?? "");
    const listed = firstCells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, rule]) => rule));
    assert.deepEqual(listed.sort(), [...PROMPT_RULES].sort());
  });
});
