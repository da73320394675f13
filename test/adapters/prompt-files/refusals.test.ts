import assert from "node:assert/strict";
import { load, problemsOf, promptText } from "./prompt-sources.ts";

const BODY = "@user\nHello";
const NAME = "name: { type: string }";
const ORDER = [
  "order:",
  "  type: object",
  "  additionalProperties: false",
  "  properties:",
  "    id: { type: string }",
].join("\n");
const LINES = [
  "title: { type: string }",
  "lines:",
  "  type: array",
  "  items:",
  "    type: object",
  "    additionalProperties: false",
  "    required: [sku]",
  "    properties:",
  "      sku: { type: string }",
  "      tags: { type: array, items: { type: string } }",
].join("\n");

/** A whole file whose front matter is these lines. */
const withFront = (...lines: readonly string[]) => ["---", ...lines, "---", BODY].join("\n");
const withInput = (...lines: readonly string[]) =>
  withFront("description: d", "input:", "  schema:", ...lines.map((line) => `    ${line}`));

const refusals: readonly (readonly [what: string, text: string | Uint8Array, problem: string])[] = [
  ["a file of more than 256 KiB", `${withFront("description: d")}${"x".repeat(262_144)}`, "-: file_size"],
  ["bytes that are not UTF-8", Uint8Array.of(0x2d, 0xff), "-: encoding"],
  ["a NUL", `${withFront("description: d")}\0`, "5: encoding"],
  ["a file without front matter", "@user\nHello", "1: front_matter"],
  ["front matter that is not closed", "---\ndescription: d\n@user\nHello", "1: front_matter"],
  ["front matter of more than 64 KiB", withFront(`description: ${"x".repeat(65_536)}`), "1: front_matter_size"],
  ["front matter that is a list", withFront("- a"), "2: front_matter"],
  ["an empty front matter", ["---", "---", BODY].join("\n"), "2: front_matter"],
  ["broken YAML", withFront("description: a: b"), "2: yaml"],
  ["a key that is given twice", withFront("description: d", "description: e"), "3: yaml"],
  ["an anchor", withFront("description: &d text"), "2: yaml"],
  ["an alias", withFront("description: &d text", "model: *d"), "3: yaml"],
  ["a tag", withFront("description: !!str text"), "2: yaml"],
  ["a number without a JSON form", withFront("description: d", "example: { n: .inf }"), "3: yaml"],
  ["a description that is missing", withFront("model: fast"), "2: description"],
  ["a description that is blank", withFront('description: " "'), "2: description"],
  ["an unknown key", withFront("description: d", "temperature: 1"), "3: unknown_key"],
  ["an unknown key of input", withFront("description: d", "input: { scheme: {} }"), "3: unknown_key"],
  ["a model that is no alias", withFront("description: d", "model: [fast]"), "3: model"],
  ["generation that is no mapping", withFront("description: d", "generation: 3"), "3: generation"],
  ["an unknown generation option", withFront("description: d", "generation:", "  top_k: 3"), "4: unknown_key"],
  ["a temperature of 2.1", withFront("description: d", "generation:", "  temperature: 2.1"), "4: generation"],
  ["a temperature that is a text", withFront("description: d", "generation:", '  temperature: "1"'), "4: generation"],
  ["a top_p of 0", withFront("description: d", "generation: { top_p: 0 }"), "3: generation"],
  ["no output tokens", withFront("description: d", "generation: { max_output_tokens: 0 }"), "3: generation"],
  [
    "too many output tokens",
    withFront("description: d", "generation: { max_output_tokens: 1000001 }"),
    "3: generation",
  ],
  ["five stops", withFront("description: d", "generation: { stop: [a, b, c, d, e] }"), "3: generation"],
  ["a stop that is a number", withFront("description: d", "generation: { stop: [1] }"), "3: generation"],
  [
    "a seed of 64 bits and one",
    withFront("description: d", "generation: { seed: 9223372036854775808 }"),
    "3: generation",
  ],
  ["a penalty of 3", withFront("description: d", "generation: { presence_penalty: 3 }"), "3: generation"],
  ["an unknown effort", withFront("description: d", "generation: { reasoning_effort: huge }"), "3: generation"],
  ["input without a schema", withFront("description: d", "input: {}"), "3: input_schema"],
  ["a schema that is none", withInput("type: objekt"), "5: invalid_schema"],
  ["an input schema that is no object", withInput("type: string"), "5: input_object"],
  ["an open input schema", withInput("type: object", "properties: { a: { type: string } }"), "5: open_object"],
  [
    "an open object within the input schema",
    withInput("type: object", "additionalProperties: false", "properties:", "  a: { type: object, properties: {} }"),
    "8: open_object",
  ],
  [
    "a variable that is called context",
    withInput("type: object", "additionalProperties: false", "properties:", "  context: { type: string }"),
    "8: reserved_name",
  ],
  [
    "a variable that is called like a helper",
    withInput("type: object", "additionalProperties: false", "properties:", "  json: { type: string }"),
    "8: reserved_name",
  ],
  ["output without a schema", withFront("description: d", "output: { example: 1 }"), "3: output_schema"],
  [
    "an output schema that is none",
    withFront("description: d", "output:", "  schema: { type: 7 }"),
    "4: invalid_schema",
  ],
  [
    "an output example that its schema refuses",
    withFront("description: d", "output:", "  schema: { type: string }", "  example: 3"),
    "5: output_example",
  ],
  ["an example that is no mapping", withFront("description: d", "example: text"), "3: example"],
  ["an example that the input schema refuses", withFront("description: d", "example: { a: 1 }"), "3: example"],
  ["text above the first role", promptText("", "Hello\n@user\nHello"), "9: text_before_role"],
  ["a prompt without sections", promptText("", ""), "9: no_sections"],
  ["an unknown role", promptText("", "@tool\nHello\n@user\nHello"), "9: unknown_role"],
  ["a role marker with a space", promptText("", "@user\nHello\n @system\nHello"), "11: role_marker"],
  ["a role marker in capitals", promptText("", "@user\nHello\n@System\nHello"), "11: role_marker"],
  ["an empty section", promptText("", "@system\n\n@user\nHello"), "9: empty_section"],
  ["a last section that is not the user's", promptText("", "@user\nHello\n@assistant\nHi"), "12: last_section"],
  ["a block that is not closed", promptText(NAME, "@user\nHello\n{{#if name}}"), "12: template_syntax"],
  ["a block that crosses a role", promptText(NAME, "@system\n{{#if name}}\n@user\n{{/if}}"), "11: template_syntax"],
  ["a variable that is not declared", promptText(NAME, "@user\nHello\n{{nmae}}"), "12: unknown_variable"],
  ["#if of a name that is not declared", promptText(NAME, "@user\n{{#if nmae}}x{{/if}}"), "11: unknown_variable"],
  [
    "#each of a name that is not declared",
    promptText(LINES, "@user\n{{#each line}}x{{/each}}"),
    "20: unknown_variable",
  ],
  [
    "a member that is not declared",
    promptText(LINES, "@user\n{{#each lines}}{{skuu}}{{/each}}"),
    "20: unknown_variable",
  ],
  ["a top name inside #each", promptText(LINES, "@user\n{{#each lines}}{{title}}{{/each}}"), "20: unknown_variable"],
  ["a path out of the variables", promptText(NAME, "@user\n{{../name}}"), "11: unknown_variable"],
  [
    "a member of a chunk that is not there",
    promptText("", "@user\n{{#each context}}{{score}}{{/each}}"),
    "10: unknown_variable",
  ],
  ["a path through a text", promptText(NAME, "@user\n{{name.length}}"), "11: path_type"],
  ["a path into a list", promptText(LINES, "@user\n{{lines.length}}"), "20: path_type"],
  ["a path through an optional object", promptText(ORDER, "@user\n{{order.id}}"), "15: optional_path"],
  ["printing an object", promptText(ORDER, "@user\n{{order}}"), "15: not_text"],
  ["printing a list", promptText(LINES, "@user\n{{lines}}"), "20: not_text"],
  ["printing a comparison", promptText(NAME, '@user\n{{eq name "x"}}'), "11: not_text"],
  ["all variables at once", promptText(NAME, "@user\n{{json this}}"), "11: whole_input"],
  ["all variables at once by @root", promptText(NAME, "@user\n{{json @root}}"), "11: whole_input"],
  ["an unknown helper", promptText(NAME, "@user\n{{upper name}}"), "11: unknown_helper"],
  ["a section block", promptText(NAME, "@user\n{{#name}}x{{/name}}"), "11: unknown_helper"],
  ["lookup", promptText(NAME, '@user\n{{lookup this "name"}}'), "11: unknown_helper"],
  ["log", promptText(NAME, "@user\n{{log name}}"), "11: unknown_helper"],
  ["json of nothing", promptText(NAME, "@user\n{{json}}"), "11: helper_arguments"],
  ["join of objects", promptText(LINES, '@user\n{{join lines ", "}}'), "20: helper_arguments"],
  ["eq with an object", promptText(ORDER, '@user\n{{#if (eq order "x")}}x{{/if}}'), "15: helper_arguments"],
  ["#if of two values", promptText(NAME, "@user\n{{#if name name}}x{{/if}}"), "11: helper_arguments"],
  ["#if of a literal", promptText(NAME, "@user\n{{#if true}}x{{/if}}"), "11: helper_arguments"],
  ["#if with an option", promptText(NAME, "@user\n{{#if name includeZero=true}}x{{/if}}"), "11: helper_arguments"],
  ["#each through a text", promptText(NAME, "@user\n{{#each name}}x{{/each}}"), "11: helper_arguments"],
  ["#each through named members", promptText(ORDER, "@user\n{{#each order}}x{{/each}}"), "15: helper_arguments"],
  ["#with a text", promptText(NAME, "@user\n{{#with name}}x{{/with}}"), "11: helper_arguments"],
  ["a name for #if", promptText(NAME, "@user\n{{#if name as |n|}}x{{/if}}"), "11: block_params"],
  [
    "an item that is named like a helper",
    promptText(LINES, "@user\n{{#each lines as |json|}}x{{/each}}"),
    "20: block_params",
  ],
  ["@index outside #each", promptText(NAME, "@user\n{{@index}}"), "11: unknown_data"],
  [
    "@index of an outer #each",
    promptText(LINES, "@user\n{{#each lines}}{{#each tags}}{{@../index}}{{/each}}{{/each}}"),
    "20: unknown_data",
  ],
  [
    "../ whose meaning depends on the data",
    promptText(LINES, "@user\n{{#each lines}}{{#each ../lines}}{{../sku}}{{/each}}{{/each}}"),
    "20: ambiguous_parent",
  ],
  ["a partial", promptText(NAME, "@user\n{{> name}}"), "11: partial"],
  ["a partial block", promptText(NAME, "@user\n{{#> name}}x{{/name}}"), "11: partial"],
  ["a decorator", promptText(NAME, "@user\n{{* name}}"), "11: decorator"],
  ["an inline partial", promptText(NAME, '@user\n{{#*inline "x"}}x{{/inline}}'), "11: decorator"],
  ["three braces", promptText(NAME, "@user\n{{{name}}}"), "11: triple_braces"],
  ["the & sign", promptText(NAME, "@user\n{{& name}}"), "11: triple_braces"],
  ["a raw block", promptText(NAME, "@user\n{{{{if name}}}}x{{{{/if}}}}"), "11: raw_block"],
  ["a literal in braces", promptText(NAME, '@user\n{{"name"}}'), "11: literal_path"],
];

describe("a prompt file is refused for", () => {
  for (const [what, text, problem] of refusals) {
    it(what, () => {
      const problems = problemsOf(text);
      assert.ok(problems.includes(problem), `expected ${problem}, got ${problems.join(", ") || "no problem"}`);
    });
  }

  it("a reference that is not local", () => {
    const text = withInput("type: object", "additionalProperties: false", "properties:", '  a: { $ref: "other.json" }');
    const problems = problemsOf(text);
    assert.ok(problems.length > 0);
  });

  it("all its problems at once", () => {
    const text = promptText(NAME, "@system\n{{a}}\n{{b}}\n@user\n{{> c}}", "model: 7");
    assert.deepEqual(problemsOf(text).slice(0, 1), ["3: model"]);
    const inBody = promptText(NAME, "@system\n{{a}}\n{{b}}\n@user\n{{> c}}");
    assert.deepEqual(problemsOf(inBody), ["11: unknown_variable", "12: unknown_variable", "14: partial"]);
  });

  it("nesting that would exhaust the stack, without exhausting it", () => {
    const problems = problemsOf(withFront(`description: ${"[".repeat(60_000)}`));
    assert.ok(problems.length > 0 && problems.every((problem) => problem.endsWith(": yaml")));
  });

  it("an undeclared name, and its message says which names are near", () => {
    const result = load(promptText(NAME, "@user\n{{nmae}}"));
    assert.equal(result.ok, false);
    const message = "nmae is not declared in the input schema; declared are name";
    assert.deepEqual(!result.ok && result.problems.map((problem) => problem.message), [message]);
  });
});
