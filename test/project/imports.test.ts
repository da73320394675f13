import assert from "node:assert/strict";
import { importProblems } from "../../tools/check/imports.ts";
import { layers } from "../../tools/check/layers.ts";
import { readImports } from "../../tools/imports/read-imports.ts";

const specifiers = (source: string) => readImports(source).map(({ specifier }) => specifier);

describe("the reader of imports", () => {
  const cases: [string, string, (string | undefined)[]][] = [
    ["a default import", 'import a from "a";', ["a"]],
    ["named imports over several lines", 'import {\n  a,\n  type B,\n} from "a";', ["a"]],
    ["an import of types", 'import type { A } from "a";', ["a"]],
    ["a namespace import", "import * as a from 'a';", ["a"]],
    ["an import for its effects", 'import "a";', ["a"]],
    ["an import with attributes", 'import a from "./a.json" with { type: "json" };', ["./a.json"]],
    ["a string as the name of an export", 'import { "odd name" as a } from "a";', ["a"]],
    [
      "re-exports",
      'export { a } from "a"; export * from "b"; export type { C } from "c"; export * as d from "d";',
      ["a", "b", "c", "d"],
    ],
    ["a dynamic import", 'const a = await import("a");', ["a"]],
    ["a dynamic import of a template without expressions", "await import(`a`);", ["a"]],
    [
      "a dynamic import of a computed name, as unknown",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of a template
      "await import(name); await import(`a/${b}`);",
      [undefined, undefined],
    ],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of a template
    ["a dynamic import inside a template", 'const a = `${`${await import("a")}`} import "b"`;', ["a"]],
    ["the type of an import", 'let a: import("a").A;', ["a"]],
    ["no import in comments", '// import "a";\n/* import "b";\n */ import "c";', ["c"]],
    [
      "no import in strings and regular expressions",
      'const a = "import \'a\';"; const b = /import "c"/; import "d";',
      ["d"],
    ],
    ["imports after a division", 'const a = b / 2; const c = (d) / 2; import "e"; f / g;', ["e"]],
    ["imports after a regular expression that holds a quote", 'x.replace(/["\'`/]/g, ""); import "a";', ["a"]],
    ["no import in exports without a source", 'export { a }; export const from = "b"; export default "c";', []],
    [
      "no import in import.meta or in a property of that name",
      'import.meta.url; a.import("b"); ({ import: "c" });',
      [],
    ],
  ];
  for (const [name, source, expected] of cases) {
    it(`finds ${name}`, () => assert.deepEqual(specifiers(source), expected));
  }

  it("tells the line", () => {
    assert.deepEqual(readImports('\n/*\n*/\nconst a = `\n`;\nimport "a";\n'), [{ specifier: "a", line: 6 }]);
  });
});

describe("the rule of imports", () => {
  const allowed: [string, string][] = [
    ["src/core/a.ts", 'import "../../gen/sluice/v1/message_pb.ts"; import "./b.ts"; import "@bufbuild/protobuf/wkt";'],
    ["src/pipeline/parse/a.ts", 'import "../../core/a.ts"; import "ajv"; import "node:crypto";'],
    ["src/adapters/postgres/a.ts", 'import "../../core/a.ts"; import "pg";'],
    ["src/rpc/a.ts", 'import "../pipeline/a.ts"; import "@connectrpc/connect-node";'],
    ["src/app.ts", 'import "./adapters/log.ts"; import "./rpc/server.ts"; import "./pipeline/complete.ts";'],
    ["src/main.ts", 'import "./cli/serve.ts"; import "./app.ts";'],
  ];
  for (const [path, source] of allowed) {
    it(`allows ${path} what its layer may import`, () => assert.deepEqual(importProblems(path, source), []));
  }

  const refused: [string, string, RegExp][] = [
    ["src/core/a.ts", 'import type { A } from "../pipeline/a.ts";', /core may not import src\/pipeline\/a\.ts/],
    ["src/core/a.ts", 'import "node:fs";', /core may not import Node's node:fs/],
    ["src/core/a.ts", 'import "@bufbuild/protovalidate";', /core may not import @bufbuild\/protovalidate/],
    ["src/pipeline/a.ts", 'import "../adapters/a.ts";', /pipeline may not import src\/adapters/],
    ["src/adapters/a.ts", 'import "../pipeline/a.ts";', /adapters may not import src\/pipeline/],
    ["src/adapters/a.ts", 'import "@connectrpc/connect";', /adapters may not import @connectrpc/],
    ["src/rpc/a.ts", 'export { x } from "../adapters/a.ts";', /rpc may not import src\/adapters/],
    ["src/rpc/a.ts", 'import "openai";', /rpc may not import openai/],
    ["src/pipeline/a.ts", 'await import("pg");', /pipeline may not import pg/],
    ["src/pipeline/a.ts", 'import "ajv-errors";', /pipeline may not import ajv-errors/],
    ["src/rpc/a.ts", 'import "fs";', /write node:fs/],
    ["src/rpc/a.ts", "await import(name);", /computed/],
    ["src/rpc/a.ts", 'import "../../test/support/child.ts";', /rpc may not import test/],
    ["src/somewhere/a.ts", "", /no layer is declared/],
  ];
  for (const [path, source, problem] of refused) {
    it(`refuses ${path} to write ${source || "anything at all"}`, () => {
      const problems = importProblems(path, source);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", problem);
    });
  }

  it("lets layers name lower layers only, so that there are no cycles between folders", () => {
    const order = ["gen", ...Object.keys(layers)];
    for (const [name, layer] of Object.entries(layers)) {
      for (const lower of layer.layers) assert.ok(order.indexOf(lower) < order.indexOf(name), `${name} names ${lower}`);
    }
  });
});
