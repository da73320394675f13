import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { type Check, type CompletionInput, CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { EmbedRequestSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { invalidRequest, SluiceError } from "../core/failure.ts";
import { InvalidSchemaError, type JsonSchema, type JsonSchemas } from "../core/json-schema.ts";
import type { PromptVariables } from "../core/prompt.ts";
import { type CheckCompiler, type Checks, InvalidCheckError } from "../core/semantic-check.ts";
import { findLongLists } from "./validate/item-counts.ts";
import { certainlyValid } from "./validate/quick-pass.ts";
import { readVariables } from "./validate/variables.ts";

/** An input whose limits and shape hold. Names in it (prompt, model) may still be unknown. */
export interface ValidInput {
  readonly input: CompletionInput;
  /** The prompt's variables; empty where messages were given. */
  readonly variables: PromptVariables;
  /** The compiled schema of the request's own JSON output. */
  readonly outputSchema?: JsonSchema;
  /** The compiled checks of the request's own output; absent where it has none. */
  readonly outputChecks?: Checks;
}

export interface ValidatePorts {
  readonly schemas: JsonSchemas;
  readonly checks: CheckCompiler;
}

const MAX_VIOLATIONS = 16;
const validator = createValidator();

/**
 * Checks a message against the rules that its proto declares.
 * @param fieldPrefix put before every path, such as "input".
 * @throws SluiceError INVALID_REQUEST with at most 16 violations. Values are never quoted.
 */
export function checkMessage<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  fieldPrefix = "",
): void {
  if (certainlyValid(schema, message)) return;
  const tooLong = findLongLists(schema, message);
  if (tooLong.length > 0) {
    const violations = tooLong.map((violation) => ({ ...violation, field: joinPath(fieldPrefix, violation.field) }));
    throw new SluiceError({ reason: "INVALID_REQUEST", violations: violations.slice(0, MAX_VIOLATIONS) });
  }
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  // A rule that does not compile is our bug, never the caller's.
  if (result.kind === "error") throw result.error;
  throw new SluiceError({
    reason: "INVALID_REQUEST",
    violations: result.violations.slice(0, MAX_VIOLATIONS).map((violation) => ({
      field: joinPath(fieldPrefix, pathToString(violation.field)),
      rule: violation.ruleId,
      description: violation.message,
    })),
  });
}

function joinPath(prefix: string, path: string): string {
  if (!prefix) return path;
  if (!path) return prefix;
  return path.startsWith("[") ? `${prefix}${path}` : `${prefix}.${path}`;
}

/**
 * Compiles the rules of an input, so that the first call does not pay for it (measured: 60 to 180 ms). Rules are
 * compiled where a value is, so the sample has one of everything.
 */
export function warmValidation(): void {
  const text = "warm";
  const checks = [{ rule: text, message: text }];
  const filterCondition = { key: text, test: { case: "exists", value: true } } as const;
  validator.validate(
    CompletionInputSchema,
    create(CompletionInputSchema, {
      prompt: { name: text, variables: {} },
      messages: [{ role: Role.USER, content: [{ content: { case: "text", value: text } }] }],
      output: { format: { case: "json", value: { schema: "{}", checks } } },
      context: { chunks: [{ id: text, text }] },
      generation: { temperature: 1, topP: 1, maxOutputTokens: 1, stop: [text] },
      cache: { ttlSeconds: 1 },
      attribution: { feature: text, user: text },
      retrieval: { collection: text, query: text, topK: 1, minSimilarity: 0, filter: { all: [filterCondition] } },
    }),
  );
  validator.validate(EmbedRequestSchema, create(EmbedRequestSchema, { texts: [text] }));
}

/** The validate stage. Errors: INVALID_REQUEST. */
export function validate(ports: ValidatePorts, input: CompletionInput | undefined): ValidInput {
  if (!input) throw invalidRequest("input", "required", "value is required");
  checkMessage(CompletionInputSchema, input, "input");
  return {
    input,
    variables: input.prompt ? readVariables(input.prompt) : { value: {}, spelled: {} },
    outputSchema: compileOutputSchema(ports.schemas, input),
    outputChecks: compileOutputChecks(ports.checks, input),
  };
}

/** Where messages are given, there are no variables. */
const NO_VARIABLES = JSON.stringify({ type: "object", properties: {}, additionalProperties: false });

function compileOutputChecks(compiler: CheckCompiler, input: CompletionInput): Checks | undefined {
  const format = input.output?.format;
  if (!format?.case || format.value.checks.length === 0) return undefined;
  const checks: readonly Check[] = format.value.checks;
  try {
    // What the prompt's variables may be is known when the prompt is looked up, which comes later.
    return compiler.compile(checks, {
      ...(format.case === "json" && { schemaText: format.value.schema }),
      ...(!input.prompt && { inputSchemaText: NO_VARIABLES }),
    });
  } catch (error) {
    if (!(error instanceof InvalidCheckError)) throw error;
    throw invalidRequest(`input.output.${format.case}.checks[${error.index}].rule`, error.rule, error.message);
  }
}

function compileOutputSchema(schemas: JsonSchemas, input: CompletionInput): JsonSchema | undefined {
  if (input.output?.format.case !== "json") return undefined;
  try {
    return schemas.compile(input.output.format.value.schema);
  } catch (error) {
    if (!(error instanceof InvalidSchemaError)) throw error;
    const where = error.pointer ? `at ${error.pointer}: ` : "";
    throw invalidRequest("input.output.json.schema", `json_schema.${error.rule}`, `${where}${error.message}`);
  }
}
