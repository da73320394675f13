import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { PromptInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { readVariables } from "../../src/pipeline/validate/variables.ts";

const fromJson = (variablesJson: string) => readVariables(create(PromptInputSchema, { name: "p", variablesJson }));

function violation(read: () => unknown): { field: string; rule: string } {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST");
    const [first] = error.failure.violations;
    return { field: first?.field ?? "", rule: first?.rule ?? "" };
  }
  return assert.fail("was accepted");
}

describe("prompt variables", () => {
  it("come from either field", () => {
    const struct = create(PromptInputSchema, { name: "p", variables: { a: [1, "x"] } });
    assert.deepEqual(readVariables(struct).value, { a: [1, "x"] });
    assert.deepEqual(fromJson('{"a":[1,"x"]}').value, { a: [1, "x"] });
    assert.deepEqual(readVariables(create(PromptInputSchema, { name: "p" })).value, {});
  });

  it("keep the digits of numbers for rendering", () => {
    const { value, spelled } = fromJson('{"id":12345678901234567890,"price":1.10,"n":7}');
    assert.deepEqual(value, { id: Number("12345678901234567890"), price: 1.1, n: 7 });
    assert.deepEqual(spelled, { id: "12345678901234567890", price: "1.10", n: 7 });
  });

  it("are the same in whatever order their keys were sent", () => {
    const print = (read: { value: unknown; spelled: unknown }) => [
      JSON.stringify(read.value),
      JSON.stringify(read.spelled),
    ];
    const [value, spelled] = print(fromJson('{"b":{"z":1.10,"10":[{"y":1,"x":2}],"2":0},"a":[3,1]}'));
    assert.equal(value, '{"a":[3,1],"b":{"2":0,"10":[{"x":2,"y":1}],"z":1.1}}');
    assert.equal(spelled, '{"a":[3,1],"b":{"2":0,"10":[{"x":2,"y":1}],"z":"1.10"}}');
    assert.deepEqual(print(fromJson('{"a":[3,1],"b":{"2":0,"z":1.10,"10":[{"x":2,"y":1}]}}')), [value, spelled]);
    const struct = create(PromptInputSchema, { name: "p", variables: { b: { y: 1, x: 2 }, a: 1 } });
    assert.deepEqual(print(readVariables(struct)), print(fromJson('{"a":1,"b":{"x":2,"y":1}}')));
  });

  it("have one spelling where no digit differs, and no negative zero", () => {
    for (const text of ['{"a":1.5}', '{"a":1e+21}', '{"a":"1.10"}', '{"date":"2026-01-02"}']) {
      const { value, spelled } = fromJson(text);
      assert.equal(spelled, value, text);
    }
    const struct = readVariables(create(PromptInputSchema, { name: "p", variables: { a: -0 } }));
    assert.deepEqual(struct.value, { a: 0 });
    assert.deepEqual(fromJson('{"a":-0}'), { value: { a: 0 }, spelled: { a: "-0" } });
    assert.deepEqual(fromJson('{"a":1E5,"b":123456789012345678}').spelled, { a: "1E5", b: "123456789012345678" });
  });

  it("that are no JSON object are refused", () => {
    const field = "input.prompt.variables_json";
    assert.deepEqual(
      violation(() => fromJson("{")),
      { field, rule: "json" },
    );
    for (const text of ["[]", "null", "1", '"x"']) {
      assert.deepEqual(
        violation(() => fromJson(text)),
        { field, rule: "json.object" },
        text,
      );
    }
  });

  it("may be 16 levels deep, and no deeper", () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;
    assert.ok(fromJson(nested(16)));
    assert.equal(violation(() => fromJson(nested(17))).rule, "max_depth");
    assert.equal(violation(() => fromJson(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)).rule, "max_depth");
  });

  it("hold no NUL, no half characters and no __proto__", () => {
    assert.deepEqual(
      violation(() => fromJson('{"a":["x","\\u0000"]}')),
      {
        field: "input.prompt.variables_json.a[1]",
        rule: "string.not_contains",
      },
    );
    assert.equal(violation(() => fromJson('{"a":"\\ud800"}')).rule, "string.utf8");
    assert.equal(violation(() => fromJson('{"a":{"__proto__":1}}')).rule, "key");
  });

  it("are refused where readers would disagree about them", () => {
    const field = "input.prompt.variables_json";
    assert.deepEqual(
      violation(() => fromJson('{"a":1,"\\u0061":2}')),
      { field, rule: "json.duplicate_key" },
    );
    assert.deepEqual(
      violation(() => fromJson('{"a":[1e999]}')),
      { field: `${field}.a[0]`, rule: "json.number" },
    );
    assert.ok(fromJson('{"a":{"x":1},"b":{"x":1}}'));
  });
});
