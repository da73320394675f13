import type { GenerationOptions } from "../../../gen/sluice/v1/completion_input_pb.ts";
import type { PromptRetrieval } from "../../core/prompt.ts";
import type { CheckSource } from "../../core/semantic-check.ts";
import { readGeneration } from "./generation-options.ts";
import { readChecks } from "./output-checks.ts";
import type { ProblemReport } from "./problems.ts";
import { readRetrieval } from "./retrieval.ts";
import { parseYaml, type YamlPath, type YamlSource } from "./yaml-source.ts";

/** What is said of the answer. Without a schema it is text. */
export interface OutputPart {
  readonly schema?: object;
  readonly example?: unknown;
  readonly checks: readonly CheckSource[];
}

/** What the front matter says, its shape checked; the schemas in it are not yet compiled. */
export interface FrontMatter {
  readonly yaml: YamlSource;
  readonly description: string;
  readonly model?: string;
  readonly generation?: GenerationOptions;
  readonly retrieval?: PromptRetrieval;
  /** Of a prompt without variables: an object schema without properties. */
  readonly inputSchema: object;
  readonly output?: OutputPart;
  readonly example?: object;
}

const TOP_KEYS = ["description", "model", "generation", "retrieval", "input", "output", "example"];
const MAX_DESCRIPTION_CHARACTERS = 1_000;
/** As `CompletionInput.model` in the contract. */
const MODEL_ALIAS = /^[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}$/;

const NO_VARIABLES = { type: "object", properties: {}, additionalProperties: false };

/** Reads the front matter, or reports what is wrong with it. */
export function readFrontMatter(text: string, firstLine: number, report: ProblemReport): FrontMatter | undefined {
  const yaml = parseYaml(text, firstLine, report);
  if (!yaml) return undefined;
  const top = mapping(yaml.value, "the front matter", [], TOP_KEYS, yaml, report);
  if (!top) return undefined;
  const input = top.has("input") ? mapping(top.get("input"), "input", ["input"], ["schema"], yaml, report) : undefined;
  const inputSchema = input && schemaOf(input, "input", yaml, report);
  const generation = top.get("generation");
  if (top.has("generation") && !isMapping(generation)) {
    report.add("generation", "generation must be a mapping", yaml.lineOf(["generation"]));
  }
  const retrieval = top.get("retrieval");
  if (top.has("retrieval") && !isMapping(retrieval)) {
    report.add("retrieval", "retrieval must be a mapping", yaml.lineOf(["retrieval"]));
  }
  return {
    yaml,
    description: readDescription(top.get("description"), yaml, report),
    model: readModel(top, yaml, report),
    generation: isMapping(generation) ? readGeneration(generation, yaml, report) : undefined,
    retrieval: isMapping(retrieval) ? readRetrieval(retrieval, yaml, report) : undefined,
    inputSchema: inputSchema ?? NO_VARIABLES,
    output: readOutput(top, yaml, report),
    example: readExample(top, yaml, report),
  };
}

function readDescription(value: unknown, yaml: YamlSource, report: ProblemReport): string {
  if (typeof value === "string" && value.trim() !== "" && value.length <= MAX_DESCRIPTION_CHARACTERS) return value;
  const message = `description is required: a text of 1 to ${MAX_DESCRIPTION_CHARACTERS} characters that says what the prompt does`;
  report.add("description", message, yaml.lineOf(["description"]));
  return "";
}

function readModel(top: ReadonlyMap<string, unknown>, yaml: YamlSource, report: ProblemReport): string | undefined {
  const model = top.get("model");
  if (!top.has("model")) return undefined;
  if (typeof model === "string" && MODEL_ALIAS.test(model)) return model;
  report.add("model", "model must be the alias of a configured model, such as fast", yaml.lineOf(["model"]));
  return undefined;
}

function readOutput(top: ReadonlyMap<string, unknown>, yaml: YamlSource, report: ProblemReport): FrontMatter["output"] {
  if (!top.has("output")) return undefined;
  const output = mapping(top.get("output"), "output", ["output"], ["schema", "example", "checks"], yaml, report);
  if (!output) return undefined;
  const checks = readChecks(output, yaml, report);
  // The answer is text where only checks are declared.
  const isText = output.has("checks") && !output.has("schema") && !output.has("example");
  const schema = isText ? undefined : schemaOf(output, "output", yaml, report);
  if (!isText && !schema) return undefined;
  return { ...(schema && { schema }), ...(output.has("example") && { example: output.get("example") }), checks };
}

function readExample(top: ReadonlyMap<string, unknown>, yaml: YamlSource, report: ProblemReport): object | undefined {
  if (!top.has("example")) return undefined;
  const example = top.get("example");
  if (isMapping(example)) return example;
  report.add("example", "example must be a mapping of variables", yaml.lineOf(["example"]));
  return undefined;
}

function schemaOf(
  part: ReadonlyMap<string, unknown>,
  name: "input" | "output",
  yaml: YamlSource,
  report: ProblemReport,
): object | undefined {
  const schema = part.get("schema");
  if (isMapping(schema)) return schema;
  report.add(
    `${name}_schema`,
    `${name}.schema is required: a JSON Schema, written as YAML`,
    yaml.lineOf([name, "schema"]),
  );
  return undefined;
}

function mapping(
  value: unknown,
  name: string,
  path: YamlPath,
  keys: readonly string[],
  yaml: YamlSource,
  report: ProblemReport,
): ReadonlyMap<string, unknown> | undefined {
  if (!isMapping(value)) {
    report.add("front_matter", `${name} must be a mapping with ${keys.join(", ")}`, yaml.lineOf(path));
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      report.add("unknown_key", `${name} has no key ${key}; it has ${keys.join(", ")}`, yaml.lineOf([...path, key]));
    }
  }
  return new Map(Object.entries(value));
}

function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
