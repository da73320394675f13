import type { JsonSchema } from "../../core/json-schema.ts";
import { type CheckCompiler, type CheckSource, type Checks, InvalidCheckError } from "../../core/semantic-check.ts";
import type { FrontMatter } from "./front-matter.ts";
import type { ProblemReport } from "./problems.ts";
import type { YamlSource } from "./yaml-source.ts";

/** As `JsonOutput.checks` and `Check` in the contract. */
const MAX_CHECKS = 16;
const MAX_RULE_BYTES = 2048;
const MAX_MESSAGE_BYTES = 512;

const SHAPE = "a check is a mapping with rule and message, both texts";

/** Reads `output.checks`, a list of rules with messages, or reports what is wrong with it. */
export function readChecks(
  output: ReadonlyMap<string, unknown>,
  yaml: YamlSource,
  report: ProblemReport,
): readonly CheckSource[] {
  const checks = output.get("checks");
  if (!output.has("checks")) return [];
  if (!Array.isArray(checks) || checks.length === 0 || checks.length > MAX_CHECKS) {
    report.add("check", `output.checks must be a list of 1 to ${MAX_CHECKS} checks`, yaml.lineOf(["output", "checks"]));
    return [];
  }
  return checks.flatMap((check: unknown, index) => {
    const problem = problemOf(check);
    if (problem !== undefined) report.add("check", problem, yaml.lineOf(["output", "checks", String(index)]));
    return isCheck(check) && problem === undefined ? [{ rule: check.rule, message: check.message }] : [];
  });
}

function problemOf(check: unknown): string | undefined {
  if (!isCheck(check)) return SHAPE;
  if (Object.keys(check).length > 2) return `${SHAPE}, and nothing else`;
  if (!fits(check.rule, MAX_RULE_BYTES)) return `a rule has 1 to ${MAX_RULE_BYTES} bytes`;
  return fits(check.message, MAX_MESSAGE_BYTES) ? undefined : `a message has 1 to ${MAX_MESSAGE_BYTES} bytes`;
}

function isCheck(check: unknown): check is CheckSource {
  if (typeof check !== "object" || check === null || !("rule" in check) || !("message" in check)) return false;
  return typeof check.rule === "string" && typeof check.message === "string";
}

function fits(text: string, bytes: number): boolean {
  return text.trim() !== "" && Buffer.byteLength(text) <= bytes && !text.includes("\0");
}

/** Compiles the checks, each on its own, so that all that cannot be used are reported. */
export function compileChecks(
  { output: declared, yaml }: FrontMatter,
  schemas: { readonly output: JsonSchema | undefined; readonly input: JsonSchema | undefined },
  compiler: CheckCompiler,
  report: ProblemReport,
): Checks | undefined {
  // Against a schema that cannot be used, checks would have faults that are not theirs.
  const isReady = schemas.input && (schemas.output || !declared?.schema);
  if (!declared || declared.checks.length === 0 || !isReady) return undefined;
  const shape = {
    ...(schemas.output && { schemaText: schemas.output.text }),
    ...(schemas.input && { inputSchemaText: schemas.input.text }),
  };
  let areAllSound = true;
  for (const [index, check] of declared.checks.entries()) {
    try {
      compiler.compile([check], shape);
    } catch (error) {
      if (!(error instanceof InvalidCheckError)) throw error;
      areAllSound = false;
      const line = yaml.lineOf(["output", "checks", String(index), "rule"]);
      report.add("check", `output.checks[${index}]: ${error.rule}: ${error.message}`, line);
    }
  }
  return areAllSound ? compiler.compile(declared.checks, shape) : undefined;
}
