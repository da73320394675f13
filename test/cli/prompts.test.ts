import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckCompiler } from "../../src/adapters/cel-checks/index.ts";
import { createJsonSchemas } from "../../src/adapters/json-schema/index.ts";
import { checkPrompts, renderPrompt } from "../../src/cli/prompts.ts";

const compilers = { schemas: createJsonSchemas(), checks: createCheckCompiler() };

/** A prompt whose variables are these lines of `properties`. */
function promptText(properties: readonly string[], body: string, more: readonly string[] = []): string {
  return [
    "---",
    "description: For a test.",
    ...more,
    "input:",
    "  schema:",
    "    type: object",
    "    additionalProperties: false",
    ...properties.map((line) => `    ${line}`),
    "---",
    body,
  ].join("\n");
}

const GREETING = promptText(["required: [name]", "properties: { name: { type: string } }"], "@user\nHello {{name}}.");

function answering(...schema: readonly string[]): string {
  const more = ["output:", "  schema:", ...schema.map((line) => `    ${line}`)];
  return promptText(["properties: {}"], "@user\nGo.", more);
}

describe("prompts", () => {
  let root: string;
  let dir: string;
  let written: string;
  const out = { write: (text: string) => (written += text) };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "sluice-prompts-"));
    dir = join(root, "prompts");
    mkdirSync(dir);
    written = "";
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(path: string, text: string): void {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  const read = (path: string) => readFileSync(join(dir, path), "utf8");
  const check = (options: { update?: boolean; against?: string } = {}) =>
    checkPrompts({ dir, ...compilers, update: options.update ?? false, against: options.against, out });
  const sample = (variables: object, context?: object) => JSON.stringify({ variables, ...(context && { context }) });

  describe("check", () => {
    it("passes the prompts that come with Sluice", async () => {
      const code = await checkPrompts({
        dir: join(import.meta.dirname, "../../prompts"),
        ...compilers,
        update: false,
        out,
      });
      assert.equal(code, 0, written);
      assert.match(written, /^ok: 5 prompt versions, 9 samples as expected\n$/);
    });

    it("writes goldens with update, and accepts them from then on", async () => {
      write("hi/v1.prompt", GREETING);
      write("hi/samples/ada.json", sample({ name: "Ada" }));
      assert.equal(await check(), 1);
      assert.match(written, /ada\.v1\.golden\.txt: golden_missing: /);
      assert.equal(await check({ update: true }), 0);
      assert.equal(read("hi/samples/ada.v1.golden.txt"), "=== user ===\nHello Ada.\n");
      assert.equal(await check(), 0);
    });

    it("shows what differs from a golden, line by line", async () => {
      write("hi/v1.prompt", GREETING.replace("Hello", "Good day"));
      write("hi/samples/ada.json", sample({ name: "Ada" }));
      write("hi/samples/ada.v1.golden.txt", "=== user ===\nHello Ada.\n");
      assert.equal(await check(), 1);
      assert.match(written, /golden_differs: .*\n {6}=== user ===\n {4}- Hello Ada\.\n {4}\+ Good day Ada\.\n/);
    });

    it("names file, line and rule of each problem, and goes on with the others", async () => {
      write("hi/v1.prompt", GREETING.replace("{{name}}", "{{nam}}"));
      write("ho/v1.prompt", GREETING.replace("---\n", ""));
      assert.equal(await check(), 1);
      const file = (name: string) => `${join(dir, name, "v1.prompt")}`;
      assert.ok(written.includes(`${file("hi")}:11: unknown_variable: nam is not declared`));
      assert.ok(written.includes(`${file("ho")}:1: front_matter: `));
      assert.match(written, /2 problems; 0 prompt versions/);
    });

    it("shows context chunks of a sample", async () => {
      write("hi/v1.prompt", promptText(["properties: {}"], "@user\n{{#each context}}[{{id}}] {{text}}{{/each}}"));
      write("hi/samples/a.json", sample({}, [{ id: "c", text: "T" }]));
      assert.equal(await check({ update: true }), 0, written);
      assert.equal(read("hi/samples/a.v1.golden.txt"), "=== user ===\n[c] T\n");
    });

    it("refuses samples that are none", async () => {
      write("hi/v1.prompt", GREETING);
      write("hi/samples/a.json", "{");
      write("hi/samples/b.json", '{"variables": {"name": "x"}, "more": 1}');
      write("hi/samples/c.json", '{"variables": {"name": "x"}, "context": [{"id": "a"}]}');
      write("hi/samples/d.json", sample({ nam: "x" }));
      assert.equal(await check(), 1);
      for (const name of ["a", "b", "c"]) assert.match(written, new RegExp(`${name}\\.json: sample: `));
      assert.match(written, /d\.json: sample_refused: no version accepts it: variables/);
    });

    it("reports goldens that belong to nothing", async () => {
      write("hi/v1.prompt", GREETING);
      write("hi/samples/old.v1.golden.txt", "x");
      assert.equal(await check(), 1);
      assert.match(written, /old\.v1\.golden\.txt: golden_unused: /);
    });

    it("reports a folder that is not there", async () => {
      rmSync(dir, { recursive: true });
      assert.equal(await check(), 1);
      assert.match(written, /prompts_dir: /);
    });

    it("renders a sample with every version that accepts it", async () => {
      write("hi/v1.prompt", GREETING);
      write("hi/v2.prompt", promptText(["properties: { who: { type: string } }"], "@user\nHi {{who}}."));
      write("hi/samples/old.json", sample({ name: "Ada" }));
      write("hi/samples/new.json", sample({ who: "Ada" }));
      assert.equal(await check({ update: true }), 0);
      assert.match(written, /new\.v2\.golden\.txt: written\n.*old\.v1\.golden\.txt: written\n/);
      written = "";
      write("hi/samples/new.v1.golden.txt", "x");
      assert.equal(await check(), 1);
      assert.match(written, /new\.json: sample_refused: hi\/v1 refuses it/);
    });
  });

  describe("check says that a new version breaks callers when", () => {
    const input = (...lines: readonly string[]) => promptText(lines, "@user\nGo.");
    const cases: readonly (readonly [what: string, v1: string, v2: string, change: string | undefined])[] = [
      [
        "a variable was removed",
        input("properties: { a: { type: string } }"),
        input("properties: {}"),
        "variable a was removed",
      ],
      [
        "a variable is newly required",
        input("properties: { a: { type: string } }"),
        input("required: [a]", "properties: { a: { type: string } }"),
        "variable a is required now",
      ],
      [
        "a variable was added that is required",
        input("properties: {}"),
        input("required: [a]", "properties: { a: { type: string } }"),
        "variable a is required now",
      ],
      [
        "a type was narrowed within a list",
        input("properties: { a: { type: array, items: { type: [string, number] } } }"),
        input("properties: { a: { type: array, items: { type: string } } }"),
        "variable a[] can no longer be number",
      ],
      [
        "a listed value was removed",
        input("properties: { a: { enum: [x, y] } }").replace("{ enum", "{ type: string, enum"),
        input("properties: { a: { type: string, enum: [x] } }"),
        'variable a can no longer be "y"',
      ],
      [
        "a limit was tightened",
        input("properties: { a: { type: string, maxLength: 9 } }"),
        input("properties: { a: { type: string, maxLength: 8 } }"),
        "variable a is limited more tightly: maxLength 8 instead of 9",
      ],
      [
        "the answer is no longer text",
        answering("type: string").replace(/output:\n.*\n.*\n/, ""),
        answering("type: string"),
        "the answer is JSON now and was text",
      ],
      [
        "a part of the answer was removed",
        answering("type: object", "properties: { a: { type: string } }"),
        answering("type: object", "properties: {}"),
        "a in the answer was removed",
      ],
      [
        "a part of the answer may be absent",
        answering("type: object", "required: [a]", "properties: { a: { type: string } }"),
        answering("type: object", "properties: { a: { type: string } }"),
        "a in the answer may be absent now",
      ],
      [
        "the answer may have a new value",
        answering("type: string", "enum: [x]"),
        answering("type: string", "enum: [x, y]"),
        'the answer can be "y" now',
      ],
      [
        "nothing breaks: a variable was added that is optional",
        input("properties: {}"),
        input("properties: { a: { type: string } }"),
        undefined,
      ],
      [
        "nothing breaks: a limit was loosened",
        input("properties: { a: { type: string, maxLength: 8 } }"),
        input("properties: { a: { type: string, maxLength: 9 } }"),
        undefined,
      ],
    ];
    for (const [what, before, after, change] of cases) {
      it(what, async () => {
        write("p/v1.prompt", before);
        write("p/v2.prompt", after);
        assert.equal(await check(), 0, written);
        const notes = written.split("\n").filter((line) => line.includes("breaks callers"));
        const expected = change === undefined ? [] : [`${join(dir, "p/v2.prompt")}: breaks callers of v1: ${change}`];
        assert.deepEqual(notes, expected);
      });
    }
  });

  describe("check against an earlier state", () => {
    it("passes new versions and new prompts", async () => {
      write("hi/v1.prompt", GREETING);
      const against = join(root, "released");
      cpSync(dir, against, { recursive: true });
      write("hi/v2.prompt", GREETING);
      write("ho/v1.prompt", GREETING);
      assert.equal(await check({ against }), 0, written);
    });

    it("refuses a version that was changed or removed, and says what breaks", async () => {
      write("hi/v1.prompt", GREETING);
      write("hi/v2.prompt", GREETING);
      const against = join(root, "released");
      cpSync(dir, against, { recursive: true });
      rmSync(join(dir, "hi/v1.prompt"));
      write("hi/v2.prompt", promptText(["properties: {}"], "@user\nHello."));
      assert.equal(await check({ against }), 1);
      assert.match(written, /v1\.prompt: version_removed: /);
      assert.match(
        written,
        /v2\.prompt: version_changed: .*make a new version\n {4}breaks callers: variable name was removed/,
      );
    });

    it("reports an earlier state that is not there", async () => {
      write("hi/v1.prompt", GREETING);
      assert.equal(await check({ against: join(root, "nowhere") }), 1);
      assert.match(written, /nowhere: prompts_dir: /);
    });
  });

  describe("render", () => {
    const run = (options: Partial<Parameters<typeof renderPrompt>[0]>) =>
      renderPrompt({
        dir,
        ...compilers,
        name: "hi",
        version: "",
        variablesText: '{"name": "Ada"}',
        chunks: [],
        format: "text",
        out,
        ...options,
      });

    beforeEach(() => write("hi/v1.prompt", GREETING));

    it("prints the messages as text", async () => {
      assert.equal(await run({}), 0);
      assert.equal(written, "=== user ===\nHello Ada.\n");
    });

    it("prints the messages as JSON, with what was rendered", async () => {
      assert.equal(await run({ format: "json" }), 0);
      const { content_hash, ...rendered } = JSON.parse(written);
      assert.match(content_hash, /^[0-9a-f]{64}$/);
      assert.deepEqual(rendered, { name: "hi", version: "v1", messages: [{ role: "user", text: "Hello Ada." }] });
    });

    it("keeps the digits of numbers", async () => {
      write("n/v1.prompt", promptText(["properties: { n: { type: number } }"], "@user\n{{n}}"));
      assert.equal(await run({ name: "n", variablesText: '{"n": 1.10}' }), 0);
      assert.equal(written, "=== user ===\n1.10\n");
    });

    it("names near prompts and versions", async () => {
      assert.equal(await run({ name: "ho" }), 1);
      assert.equal(await run({ version: "v2" }), 1);
      assert.equal(written, "there is no prompt ho; there is hi\nthere is no version v2 of hi; there is v1\n");
    });

    it("names the variable that does not fit", async () => {
      assert.equal(await run({ variablesText: '{"name": 3}' }), 1);
      assert.match(written, /^variables\.name: type: expected /);
    });

    it("refuses variables that are no JSON object", async () => {
      assert.equal(await run({ variablesText: "name=Ada" }), 1);
      assert.equal(await run({ variablesText: "[]" }), 1);
      assert.match(written, /^variables: json: .*\nvariables: json\.object: /);
    });

    it("works beside a broken prompt, and reports the one that is asked for", async () => {
      write("broken/v1.prompt", "nothing");
      assert.equal(await run({}), 0);
      assert.equal(await run({ name: "broken" }), 1);
      assert.match(written, /broken\/v1\.prompt:1: front_matter: /);
    });
  });
});
