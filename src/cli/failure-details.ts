import { type DescMessage, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { BadRequestSchema, QuotaFailureSchema } from "../../gen/google/rpc/error_details_pb.ts";
import type { Attempt } from "../../gen/sluice/v1/attempt_pb.ts";
import { BudgetPeriodSchema, BudgetScope, BudgetScopeSchema } from "../../gen/sluice/v1/budget_pb.ts";
import {
  type BudgetExceededDetail,
  BudgetExceededDetailSchema,
  CacheMissDetailSchema,
  type CollectionMismatchDetail,
  CollectionMismatchDetailSchema,
  ContentFilteredDetailSchema,
  ContentSide,
  ContextOverflowDetailSchema,
  type IdempotencyConflictDetail,
  IdempotencyConflictDetailSchema,
  InterruptedDetailSchema,
  LoadDetailSchema,
  ModelFailureDetailSchema,
  type ParseFailureDetail,
  ParseFailureDetailSchema,
  ProviderMisconfiguredDetailSchema,
  ProviderProblem,
  type RateLimitDetail,
  RateLimitDetailSchema,
  type SemanticFailureDetail,
  SemanticFailureDetailSchema,
  SkipCause,
  type SkippedModel,
  SlowReaderDetailSchema,
  StageSchema,
  UnknownNameDetailSchema,
} from "../../gen/sluice/v1/error_detail_pb.ts";
import { formatNanoUsd } from "../core/money.ts";
import { attemptLines, spentText } from "./attempt-text.ts";
import { enumWords } from "./enum-name.ts";
import { timeText } from "./time-text.ts";

/** What the typed details of a failure say, in lines for a person. Those that have nothing of their own to say give none. */
export function detailLines(details: readonly Message[]): string[] {
  return details.flatMap((detail) => describers.flatMap((describe) => describe(detail)));
}

type Describer = (detail: Message) => readonly string[];

function about<Desc extends DescMessage>(
  schema: Desc,
  describe: (detail: MessageShape<Desc>) => readonly string[],
): Describer {
  return (detail) => (isMessage(detail, schema) ? describe(detail) : []);
}

const describers: readonly Describer[] = [
  about(BadRequestSchema, ({ fieldViolations }) =>
    fieldViolations.map(({ field, description }) => `  ${field || "the request"}${optionOf(field)}: ${description}`),
  ),
  about(UnknownNameDetailSchema, ({ nearest }) => (nearest.length > 0 ? [`nearest: ${nearest.join(", ")}`] : [])),
  about(CollectionMismatchDetailSchema, collectionMismatch),
  about(RateLimitDetailSchema, rateLimit),
  about(BudgetExceededDetailSchema, budgetExceeded),
  about(QuotaFailureSchema, ({ violations }) =>
    violations.map(({ subject, description }) => `  ${subject}: ${description}`),
  ),
  about(ContextOverflowDetailSchema, (overflow) => [
    `  largest part: ${overflow.largestPart}, ${overflow.largestPartTokens} tokens`,
    `  ${overflow.promptTokens} prompt tokens + ${overflow.reservedOutputTokens} reserved for the answer, ` +
      `in a window of ${overflow.windowTokens}`,
    ...(overflow.reportedByProvider ? ["  found by the provider, not by Sluice's own count"] : []),
  ]),
  about(ParseFailureDetailSchema, parseFailure),
  about(SemanticFailureDetailSchema, semanticFailure),
  about(SlowReaderDetailSchema, ({ limitMs }) => [`  not read for ${limitMs} ms`]),
  about(ContentFilteredDetailSchema, ({ side, category, model }) => [
    `  refused: ${sides[side] ?? "the text"}${category === "" ? "" : `, category ${category}`}, by ${model}`,
  ]),
  about(ProviderMisconfiguredDetailSchema, ({ problem, provider, model, httpStatus, providerCode }) => [
    `  provider ${provider}, model ${model}: ${problems[problem] ?? "it refuses the call"} (HTTP ${httpStatus})`,
    ...(providerCode === "" ? [] : [`  in its own word: ${providerCode}`]),
  ]),
  about(ModelFailureDetailSchema, ({ attempts, skipped }) => [...attemptLines(attempts), ...skipped.map(skippedLine)]),
  about(LoadDetailSchema, ({ resource, limit }) => [loadLine(resource, limit)]),
  about(CacheMissDetailSchema, ({ key }) => [`  key: ${key}`]),
  about(IdempotencyConflictDetailSchema, idempotencyConflict),
  about(InterruptedDetailSchema, ({ stage, attempts }) => [
    ...(stage === 0 ? [] : [`  reached: ${enumWords(StageSchema, stage)}`]),
    ...attemptLines(attempts),
  ]),
];

/** The option of the command line that gives the variable which a field is or lies in. */
function optionOf(field: string): string {
  const [, sample, name] = /^input\.prompt\.(samples\[\d+\]\.)?variables(?:_json)?\.([^.[\]]+)/.exec(field) ?? [];
  if (name === undefined) return /^input\.prompt\.variables(?:_json)?$/.test(field) ? " (--var, --vars-json)" : "";
  return sample === undefined ? ` (--var ${name})` : ` (--var or --sample ${name})`;
}

const sides: Readonly<Partial<Record<ContentSide, string>>> = {
  [ContentSide.INPUT]: "the prompt",
  [ContentSide.OUTPUT]: "the answer",
};

const problems: Readonly<Partial<Record<ProviderProblem, string>>> = {
  [ProviderProblem.AUTHENTICATION]: "it does not know the key",
  [ProviderProblem.PERMISSION]: "the key may not do this, or not from here",
  [ProviderProblem.MODEL_NOT_FOUND]:
    "it does not have the model, or its base_url does not lead to an OpenAI-compatible API",
  [ProviderProblem.REQUEST_REFUSED]: "it refuses the request as Sluice sends it",
};

const skipCauses: Readonly<Partial<Record<SkipCause, string>>> = {
  [SkipCause.CIRCUIT_OPEN]: "its circuit is open, because it failed too often",
  [SkipCause.COOL_DOWN]: "its provider asked everybody to wait",
  [SkipCause.QUEUE_FULL]: "all its requests are taken, and its queue is full",
  [SkipCause.BUDGET]: "a budget or a limit of the caller does not allow it",
};

function skippedLine({ model, cause, retryAfterMs }: SkippedModel): string {
  return `  ${model} was not asked: ${skipCauses[cause] ?? "it may not be asked now"}; again in ${retryAfterMs} ms`;
}

function loadLine(resource: string, limit: bigint): string {
  const model = /^models\/(.+)$/.exec(resource)?.[1];
  if (model !== undefined)
    return `  ${model}: all its requests are taken, and its queue of ${limit} is full (max_queue)`;
  return `  ${resource}${limit > 0n ? `: at most ${limit}` : ""}`;
}

function budgetExceeded(detail: BudgetExceededDetail): string[] {
  const { scope, name, period, limitNanoUsd, spentNanoUsd, reservedNanoUsd, requestedNanoUsd } = detail;
  // When it begins anew is of no use to what it can never pay.
  const isHopeless = detail.unpricedModel !== "" || (requestedNanoUsd ?? 0n) > limitNanoUsd;
  const resetTime = isHopeless ? undefined : detail.resetTime;
  const whose = `${enumWords(BudgetScopeSchema, scope)}${name === "" ? "" : ` ${name}`}`;
  const held = reservedNanoUsd > 0n ? `, ${formatNanoUsd(reservedNanoUsd)} held back for calls under way` : "";
  return [
    `  ${whose}: ${formatNanoUsd(spentNanoUsd)} of ${formatNanoUsd(limitNanoUsd)} for the ${enumWords(BudgetPeriodSchema, period)} spent${held}`,
    ...(requestedNanoUsd === undefined ? [] : [`  this call may cost up to ${formatNanoUsd(requestedNanoUsd)}`]),
    ...(detail.unpricedModel === "" ? [] : [`  the price of ${detail.unpricedModel} is unknown`]),
    ...(resetTime ? [`  begins anew at ${timestampDate(resetTime).toISOString()}`] : []),
  ];
}

function rateLimit({ provider, model, unit, limit, requested, ...caller }: RateLimitDetail): string[] {
  const window = limit === undefined ? "" : `: ${limit} ${unit || "in its window"}`;
  const asked = requested === undefined ? "" : `, this call asked for ${requested}`;
  if (caller.callerScope !== BudgetScope.UNSPECIFIED) {
    const whose = `${enumWords(BudgetScopeSchema, caller.callerScope)}${caller.callerName && ` ${caller.callerName}`}`;
    return [`  ${whose}${window === "" ? "" : `${window} a minute`}${asked}`];
  }
  return [`  provider ${provider}, model ${model}${window}${asked}`];
}

function parseFailure({ violations, truncated, excerpt, attempts }: ParseFailureDetail): string[] {
  return [
    ...violations.map(({ path, expected, got }) => `  ${path || "the answer"}: expected ${expected}, got ${got}`),
    ...(truncated
      ? [
          "  the answer ran into its number of output tokens; allow more with generation.max_output_tokens or the " +
            "prompt's max_output_tokens",
        ]
      : []),
    ...answerLines(excerpt, attempts),
  ];
}

function semanticFailure({ violations, excerpt, attempts }: SemanticFailureDetail): string[] {
  return [
    ...violations.map(({ rule, message }) => `  ${message || "does not hold"} (${rule})`),
    ...answerLines(excerpt, attempts),
  ];
}

function idempotencyConflict({ idempotencyKey, firstCallId, firstStartedAt }: IdempotencyConflictDetail): string[] {
  const since = firstStartedAt ? ` since ${timeText(timestampDate(firstStartedAt), "second")} UTC` : "";
  return [`  ${idempotencyKey} belongs to call ${firstCallId}${since}`];
}

/** An answer that was paid for and is of no use. */
function answerLines(excerpt: string, attempts: readonly Attempt[]): string[] {
  return [
    ...(excerpt === "" ? [] : [`  the answer begins: ${excerpt.replace(/\n/g, "\n    ")}`]),
    ...attemptLines(attempts),
    ...(attempts.length === 0 ? [] : [`  spent: ${spentText(attempts)}`]),
  ];
}

function collectionMismatch(detail: CollectionMismatchDetail): readonly string[] {
  const { collection, embeddingModel, dimension, language } = detail;
  const asked = [
    detail.requestedEmbeddingModel,
    detail.requestedDimension ? `dimension ${detail.requestedDimension}` : "",
    detail.requestedLanguage,
  ].filter((part) => part !== "");
  return [
    `collection ${collection} has ${embeddingModel} with dimension ${dimension} and language ${language}`,
    `asked for: ${asked.join(", ")}`,
  ];
}
