import type { ContextChunk } from "../../../gen/sluice/v1/completion_input_pb.ts";
import type { MetadataCondition } from "../../core/corpus.ts";
import type { JsonSchema } from "../../core/json-schema.ts";
import type { ChatMessage, ModelTarget, SamplingOptions } from "../../core/model.ts";
import type { Checks } from "../../core/semantic-check.ts";
import type { DraftOutput } from "../build-context/draft.ts";
import type { RequestedSampling } from "../build-context/sampling.ts";
import type { RetrievalPlan } from "../retrieve/plan.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { OnlyFields } from "./key.ts";

/*
 * What both keys are made of, in one spelling. The functions take their values apart field by field, and what is left
 * over must be nothing: a new field does not compile until someone has said whether it belongs in the key.
 */

/** How a text is written in a key: as it is, or `composed`. */
export type Spell = (text: string) => string;

/** Who answers. */
export function targetParts(target: ModelTarget): Record<string, unknown> {
  const { alias, provider, providerModel, synthetic, ...notInKey } = target;
  // How an answer is fetched, counted or described changes no answer; limits act through messages and sampling.
  notInKey satisfies OnlyFields<typeof notInKey, keyof typeof buildsRequest | NeitherNor>;
  const { id, baseUrl, settings, ...restOfProvider } = provider;
  restOfProvider satisfies Record<string, never>;
  return {
    // The alias stands for its fallbacks too: callers of an alias without one must not be answered by another's.
    model: alias,
    provider: id,
    base_url: baseUrl,
    provider_settings: settings,
    provider_model: providerModel,
    synthetic,
  };
}

/** Fields of a model that decide how a request for it is built, and no answer but by that; with their names as parts. */
const buildsRequest = {
  family: "family",
  contextTokens: "context_tokens",
  maxOutputTokens: "model_max_output_tokens",
  initialMaxTokens: "initial_max_tokens",
  structuredOutput: "structured_output",
  templateTokens: "template_tokens",
} as const satisfies Partial<Record<keyof ModelTarget, string>>;

/** Fields of a model that change neither what it is asked nor what it answers. */
type NeitherNor = "streamUpstream" | "fallbacks" | "escalateTo" | "timeouts" | "limits" | "description" | "chat";

/** How requests for a model are built. */
export function buildingParts(target: ModelTarget): Record<string, unknown> {
  const fields: Readonly<Record<string, unknown>> = { ...target };
  return Object.fromEntries(Object.entries(buildsRequest).map(([field, name]) => [name, fields[field]]));
}

/** Answers of the stronger models are stored too; what they are may change under the same aliases. */
export function escalationParts(escalations: readonly ModelTarget[]): Record<string, unknown> {
  const parts = escalations.map(targetParts);
  return {
    escalations: parts.map(({ base_url, provider_settings, ...shown }) => shown),
    escalation_settings: parts.map(({ base_url = null, provider_settings = null }) => [base_url, provider_settings]),
  };
}

export function messageParts(message: ChatMessage, spell: Spell): unknown[] {
  const { role, text, ...rest } = message;
  rest satisfies Record<string, never>;
  return [role, spell(text)];
}

export function chunkParts(chunk: ContextChunk): unknown[] {
  const { id, text, score, $typeName, $unknown, ...rest } = chunk;
  rest satisfies Record<string, never>;
  // The score comes back in citations.
  return [id, text, score];
}

/** What is looked for where. The collection's version is a part of its own. */
export function retrievalParts(plan: RetrievalPlan): unknown[] {
  // An answer that had to do without is not kept.
  const { collection, query, topK, minSimilarity, filter, isHybrid, isOptional: _, ...rest } = plan;
  rest satisfies Record<string, never>;
  return [collection, query, topK, minSimilarity ?? null, filter.map(conditionParts), isHybrid];
}

function conditionParts(condition: MetadataCondition): unknown[] {
  const { key, test } = condition;
  switch (condition.test) {
    case "in":
      return [key, test, condition.values];
    case "range": {
      const { gt, gte, lt, lte } = condition;
      return [key, test, gt ?? null, gte ?? null, lt ?? null, lte ?? null];
    }
    case "exists":
      return [key, test, condition.exists];
  }
}

/** What is asked of the answer, without how. */
export function outputParts(output: DraftOutput): Record<string, unknown> {
  const { kind, checks } = output;
  return { output: kind, schema: schemaPart(output), checks: checkParts(checks) };
}

function schemaPart(output: DraftOutput): string | null {
  if (output.kind === "text") {
    const { kind, checks, ...rest } = output;
    rest satisfies Record<string, never>;
    return null;
  }
  // The example acts through the messages; it is a prompt file's.
  const { kind, checks, exampleText, schema, ...rest } = output;
  rest satisfies Record<string, never>;
  return canonicalSchema(schema);
}

function checkParts({ sources }: Checks): unknown[] {
  return sources.map(({ rule, message, ...rest }) => {
    rest satisfies Record<string, never>;
    return [rule, message];
  });
}

/** Compiled schemas are kept and shared; a canonical text goes when its schema does. */
const knownSchemas = new WeakMap<JsonSchema, string>();

/** The order of keys stays, since models give properties in the order in which the schema names them. */
export function canonicalSchema(schema: JsonSchema): string {
  const before = knownSchemas.get(schema);
  if (before !== undefined) return before;
  const canonical = canonicalJson(schema.text, { sortKeys: false, numbers: "by_value" });
  knownSchemas.set(schema, canonical);
  return canonical;
}

export function samplingParts(sampling: RequestedSampling | SamplingOptions): Record<string, unknown> {
  const {
    temperature,
    topP,
    maxOutputTokens,
    stop,
    seed,
    presencePenalty,
    frequencyPenalty,
    reasoningEffort,
    ...rest
  } = sampling;
  rest satisfies Record<string, never>;
  // JSON writes -0 as 0.
  return {
    temperature,
    top_p: topP,
    max_output_tokens: maxOutputTokens,
    // The first of them that appears ends the answer, in whatever order they were named.
    stop: [...new Set(stop)].sort(),
    seed: seed?.toString(),
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
    reasoning_effort: reasoningEffort,
  };
}
