import { createHash } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import {
  CacheMode,
  type CompletionInput,
  CompletionInputSchema,
  Overflow,
  type PromptInput,
} from "../../../gen/sluice/v1/completion_input_pb.ts";
import { canonicalJson } from "../cache-key/canonical-json.ts";

/**
 * What two calls with one idempotency key must have in common: SHA-256 over the tenant and the whole input but the key,
 * in lower-case hex. Spelling does not count: the order of fields and of a Struct's keys, white space and escapes in
 * `variables_json` and in a schema, Struct or text for the variables, a default left out or written down. Digits of
 * numbers and the order of keys in a schema do: the model sees them. The input must be valid; fields that the contract
 * gains are covered without a change here.
 */
export function requestHash(tenant: string, input: CompletionInput): string {
  const { prompt } = input;
  const parts = [tenant, canonicalJson(JSON.stringify(plainJson(input)), { sortKeys: true })];
  if (prompt) parts.push(variablesOf(prompt));
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Messages that mean the same when they are there and empty. That need not be so of those that the contract gains. */
const MAY_SAY_NOTHING: ReadonlySet<string> = new Set([
  "output",
  "context",
  "generation",
  "cache",
  "attribution",
] satisfies (keyof CompletionInput)[]);

/** The input without its key and the prompt's variables. */
function plainJson(input: CompletionInput): object {
  const { prompt, output, cache, overflow } = input;
  const plain: CompletionInput = {
    ...input,
    idempotencyKey: "",
    prompt: prompt && {
      ...prompt,
      version: prompt.version === "latest" ? "" : prompt.version,
      variables: undefined,
      variablesJson: "",
    },
    output: withPlainSchema(output),
    cache: cache && { ...cache, mode: cache.mode === CacheMode.DEFAULT ? CacheMode.UNSPECIFIED : cache.mode },
    overflow: overflow === Overflow.TRUNCATE ? Overflow.UNSPECIFIED : overflow,
  };
  const json = toJson(CompletionInputSchema, plain);
  const said = Object.entries(json ?? {}).filter(
    ([name, value]) => !(MAY_SAY_NOTHING.has(name) && isEmptyObject(value)),
  );
  return Object.fromEntries(said);
}

function withPlainSchema(output: CompletionInput["output"]): CompletionInput["output"] {
  if (output?.format.case !== "json") return output;
  const { value } = output.format;
  return {
    ...output,
    format: { case: "json", value: { ...value, schema: canonicalJson(value.schema, { sortKeys: false }) } },
  };
}

function variablesOf({ variables, variablesJson }: PromptInput): string {
  return canonicalJson(variablesJson === "" ? JSON.stringify(variables ?? {}) : variablesJson, { sortKeys: true });
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
