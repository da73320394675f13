import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { ErrorReason } from "../../../gen/sluice/v1/error_reason_pb.ts";
import type { AttemptRecordSchema, CallRecordSchema, CallSummarySchema } from "../../../gen/sluice/v1/usage_pb.ts";
import type { CallHistory, StoredAttempt, StoredCall } from "../../core/usage.ts";
import { cacheStatusOf } from "./scope.ts";

/** The ledger's word for the reason of an attempt whose process died before it ended. */
const OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN";

export function callMessage(call: StoredCall): MessageInitShape<typeof CallSummarySchema> {
  const { calledAtMs, cacheStatus, stageMs: _, finishedAtMs: __, ...fields } = call;
  return {
    ...fields,
    startedAt: timestampFromMs(calledAtMs),
    cacheStatus: cacheStatusOf(cacheStatus),
    usage: usageOf(call, call.usageEstimated),
  };
}

export function recordMessage({ call, attempts }: CallHistory): MessageInitShape<typeof CallRecordSchema> {
  return {
    ...(call && { call: callMessage(call), stageMs: call.stageMs }),
    attempts: attempts.map(attemptMessage),
  };
}

function attemptMessage({ number, start, end }: StoredAttempt): MessageInitShape<typeof AttemptRecordSchema> {
  return {
    attempt: {
      number,
      ...(start && {
        model: start.model,
        provider: start.provider,
        cause: causes.get(start.cause) ?? AttemptCause.UNSPECIFIED,
        waitMs: start.waitMs,
      }),
      ...(end && {
        latencyMs: end.latencyMs,
        timeToFirstTokenMs: end.timeToFirstTokenMs,
        usage: usageOf(end, end.usageEstimated),
        costNanoUsd: end.costNanoUsd,
        errorReason: reasons.get(end.errorReason) ?? ErrorReason.UNSPECIFIED,
        httpStatus: end.httpStatus,
      }),
    },
    ...(start && {
      providerModel: start.providerModel,
      startedAt: timestampFromMs(start.startedAtMs),
      estimatedPromptTokens: start.estimatedPromptTokens,
      estimatedCostNanoUsd: start.estimatedCostNanoUsd,
      feature: start.feature,
      user: start.user,
      promptName: start.promptName,
      promptVersion: start.promptVersion,
      method: start.method,
      synthetic: start.synthetic,
    }),
    ...(end && {
      finishedAt: timestampFromMs(end.finishedAtMs),
      priceVersion: end.priceVersion,
      outcomeUnknown: end.errorReason === OUTCOME_UNKNOWN,
    }),
  };
}

const reasons: ReadonlyMap<string, ErrorReason> = new Map(Object.entries(ErrorReason));
const causes: ReadonlyMap<string, AttemptCause> = new Map(
  Object.entries(AttemptCause).map(([name, number]) => [name.toLowerCase(), number]),
);

type Tokens = Pick<StoredCall, "promptTokens" | "cachedPromptTokens" | "completionTokens" | "reasoningTokens">;

function usageOf(tokens: Tokens, estimated: boolean) {
  const { promptTokens, cachedPromptTokens, completionTokens, reasoningTokens } = tokens;
  return { promptTokens, cachedPromptTokens, completionTokens, reasoningTokens, estimated };
}
