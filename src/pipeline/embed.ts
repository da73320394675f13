import { hash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import {
  type EmbedRequest,
  EmbedRequestSchema,
  type EmbedResponse,
  EmbedResponseSchema,
} from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { type TokenUsage, TokenUsageSchema } from "../../gen/sluice/v1/token_usage_pb.ts";
import type { Call } from "../core/call.ts";
import type { Deadline } from "../core/deadline.ts";
import type { EmbeddingCatalog, EmbeddingTarget, VectorCache } from "../core/embedding.ts";
import { SluiceError } from "../core/failure.ts";
import type { TokenCounter } from "../core/tokens.ts";
import { type CachePolicy, cachePolicy } from "./cache.ts";
import type { TurnPorts } from "./call-model/turn.ts";
import { type ChargePorts, Charges } from "./charge.ts";
import type { EmbedBatches } from "./embed/batches.ts";
import { type CountedTexts, embedKeyed, keysOf } from "./embed/texts.ts";
import { CallReport, type ReportPorts } from "./report.ts";
import { checkMessage } from "./validate.ts";

export { EmbedBatches, type EmbedBatchesPorts } from "./embed/batches.ts";

export interface EmbedPorts extends ChargePorts, ReportPorts, TurnPorts {
  readonly embeddingModels: EmbeddingCatalog;
  readonly vectors: VectorCache;
  readonly counter: TokenCounter;
  /** For requests that do not say. */
  readonly vectorTtlMs: number;
  /** What is being embedded in this process. */
  readonly embedBatches: EmbedBatches;
}

/** Texts to embed for a call. The signal and the deadline are those of the call. */
export interface EmbedJob {
  readonly call: Call;
  readonly charges: Charges;
  readonly target: EmbeddingTarget;
  readonly texts: readonly string[];
  readonly policy: CachePolicy;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
  /** The path of a text in the request, for errors. Default: `texts[index]`. */
  readonly fieldOf?: (index: number) => string;
  /**
   * Called where the call leaves while a request that it pays for goes on for others: what it cost is known when the
   * promise resolves. `CallReport.deferUntil` takes it.
   */
  readonly defer?: (ended: Promise<void>) => void;
}

/** Vectors in the order of the texts. They are shared, and must not be changed. */
export interface EmbeddedTexts {
  readonly vectors: readonly Float32Array[];
  readonly statuses: readonly CacheStatus[];
  /** The name of the model that the provider says answered; the configured one where every text was cached. */
  readonly servedModel: string;
}

/**
 * Vectors for texts: looked up one by one, the rest in shared batches to the provider, retried by cause, charged to the
 * call whose texts they are. Errors: CONTEXT_OVERFLOW that names a text, PARSE_FAILURE, CACHE_MISS, and the failures of
 * models; the signal's reason.
 */
export async function embedTexts(ports: EmbedPorts, job: EmbedJob): Promise<EmbeddedTexts> {
  const { vectors, statuses, servedModel } = await embedKeyed(ports, job, keysOf(job));
  return { vectors, statuses, servedModel };
}

/** The Embed call: validate → look up cache → call model → store cache → charge, report. */
export async function embed(ports: EmbedPorts, call: Call, request: EmbedRequest): Promise<EmbedResponse> {
  const report = new CallReport(ports, call);
  const { trace } = report;
  try {
    trace.run(Stage.VALIDATE, () => checkRequest(request));
    report.attribution = request.attribution;
    await ports.budgets.admit(report.payer);
    const alias = request.model || ports.embeddingModels.defaultAlias;
    report.askedAlias = alias;
    const target = ports.embeddingModels.resolve(alias);
    const charges = new Charges(ports, report.payer);
    const policy = cachePolicy(request.cache, ports.vectorTtlMs);
    const { signal, deadline } = call;
    const defer = (ended: Promise<void>) => report.deferUntil(ended);
    const job: EmbedJob = { call, charges, target, texts: request.texts, policy, signal, deadline, defer };
    const keys = keysOf(job);
    report.asked = { target, key: hash("sha256", keys.join(" ")) };
    report.charges = charges;
    const embedded = await trace.await(Stage.RETRIEVE, () => embedKeyed(ports, job, keys));
    const response = responseOf(job, embedded);
    const { usage, costNanoUsd } = response;
    const cacheStatus = overallStatus(embedded.statuses);
    await report.finished({ usage, costNanoUsd, model: target.alias, synthetic: false, cacheStatus });
    return response;
  } catch (error) {
    throw await report.failed(error);
  } finally {
    await report.abandoned();
  }
}

const MAX_VIOLATIONS = 16;

function checkRequest(request: EmbedRequest): void {
  checkMessage(EmbedRequestSchema, request);
  const blank = request.texts.flatMap((text, index) => (/[\p{L}\p{N}]/u.test(text) ? [] : [index]));
  if (blank.length === 0) return;
  const description = "must have at least one letter or digit";
  const violations = blank.map((index) => ({ field: `texts[${index}]`, rule: "text.blank", description }));
  throw new SluiceError({ reason: "INVALID_REQUEST", violations: violations.slice(0, MAX_VIOLATIONS) });
}

function responseOf({ call, charges, target }: EmbedJob, embedded: CountedTexts): EmbedResponse {
  const { attempts, usage, costNanoUsd } = charges.total();
  return create(EmbedResponseSchema, {
    embeddings: embedded.vectors.map((vector, index) => ({
      values: Array.from(vector),
      cacheStatus: embedded.statuses[index] ?? CacheStatus.UNSPECIFIED,
    })),
    model: target.alias,
    providerModel: target.providerModel,
    dimension: target.dimension,
    usage: target.isBuiltIn ? ownUsage(embedded.madeTokens) : usage,
    costNanoUsd,
    callId: call.id,
    attempts: [...attempts],
  });
}

/** The built-in model has no provider that would say what it counted. */
function ownUsage(promptTokens: number): TokenUsage {
  return create(TokenUsageSchema, { promptTokens: BigInt(promptTokens), estimated: promptTokens > 0 });
}

/** What a row of a call says that may have found its texts in several places: the place that cost most. */
function overallStatus(statuses: readonly CacheStatus[]): CacheStatus {
  const { BYPASSED, MISS, JOINED, SHARED_HIT, MEMORY_HIT } = CacheStatus;
  const byCost = [BYPASSED, MISS, JOINED, SHARED_HIT, MEMORY_HIT];
  return byCost.find((status) => statuses.includes(status)) ?? CacheStatus.UNSPECIFIED;
}
