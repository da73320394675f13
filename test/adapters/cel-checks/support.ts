import assert from "node:assert/strict";
import { createCheckCompiler } from "../../../src/adapters/cel-checks/index.ts";
import { type CheckFacts, type CheckShape, InvalidCheckError } from "../../../src/core/semantic-check.ts";

export const compiler = createCheckCompiler();

/** What one rule says of an answer: "holds", "broken", or why it could not be evaluated. */
export function verdict(rule: string, facts: Partial<CheckFacts>, shape: CheckShape = { schemaText: "{}" }): string {
  const checks = compiler.compile([{ rule, message: "m" }], shape);
  const [broken] = checks.evaluate({ output: null, input: {}, said: [], chunks: [], ...facts });
  if (!broken) return "holds";
  assert.equal(broken.rule, rule);
  return broken.message === "m" ? "broken" : broken.message.replace(/^m \(cannot be evaluated: (.*)\)$/, "$1");
}

/** Why a rule is refused: "cel_type: line 1, column 8: …". Fails where it is not. */
export function refusal(rule: string, schema?: unknown, inputSchema?: unknown): string {
  try {
    compiler.compile([{ rule, message: "m" }], {
      ...(schema !== undefined && { schemaText: JSON.stringify(schema) }),
      ...(inputSchema !== undefined && { inputSchemaText: JSON.stringify(inputSchema) }),
    });
  } catch (error) {
    assert.ok(error instanceof InvalidCheckError, String(error));
    return `${error.rule}: ${error.message}`;
  }
  assert.fail(`${rule} was taken`);
}

/** Compiles, so that a rule which is refused fails the test with the reason. */
export function takes(rule: string, schema: unknown): void {
  compiler.compile([{ rule, message: "m" }], { schemaText: JSON.stringify(schema) });
}
