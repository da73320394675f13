import { create } from "@bufbuild/protobuf";
import { type Retrieval, RetrievalSchema } from "../../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { Call } from "../../core/call.ts";
import type { StoredCollection } from "../../core/corpus.ts";
import { type FailureReason, SluiceError } from "../../core/failure.ts";
import { hasTemplateToken } from "../build-context/template-tokens.ts";
import type { DraftedContext } from "../build-context.ts";
import type { CachePolicy } from "../cache.ts";
import { NO_CORPUS } from "../cache-key/request-key.ts";
import { Charges } from "../charge.ts";
import type { CallReport } from "../report.ts";
import { contextChunk } from "./chunk-messages.ts";
import { type FindChunksPorts, findChunks, findCollection } from "./find-chunks.ts";

export type GroundPorts = FindChunksPorts;

/** The call that retrieves, and what it tells of itself. */
export interface Seeker {
  readonly call: Call;
  readonly report: CallReport;
}

/** What a request retrieves from, as it is now. */
export interface Corpus {
  /** Part of the request key. */
  readonly version: string;
  /** Absent where nothing is to be retrieved, or it cannot be. */
  readonly collection?: StoredCollection;
  /** Why it cannot be, where the request may go on without. */
  readonly failedWith?: FailureReason;
}

/** A store or a model that is away, of which a caller may say that it does not matter. All else is said in any case. */
const MAY_BE_DONE_WITHOUT: ReadonlySet<FailureReason> = new Set([
  "STORE_UNAVAILABLE",
  "OVERLOADED",
  "MODEL_UNAVAILABLE",
  "MODEL_TIMEOUT",
  "STREAM_INTERRUPTED",
  "RATE_LIMITED",
  "QUOTA_EXHAUSTED",
  "PROVIDER_MISCONFIGURED",
  "PARSE_FAILURE",
]);

/**
 * The collection that a request retrieves from and its version: one cheap query, before the cache is asked.
 * @throws SluiceError as of `findCollection`, unless the request may go on without.
 */
export async function openCorpus(
  ports: Pick<GroundPorts, "corpus">,
  { call, report }: Seeker,
  { draft }: DraftedContext,
): Promise<Corpus> {
  const plan = draft.retrieval;
  if (!plan) return { version: NO_CORPUS };
  try {
    const collection = await report.trace.await(Stage.RETRIEVE, () => findCollection(ports, call, plan.collection));
    return { version: collection.corpusVersion, collection };
  } catch (error) {
    return { version: "", failedWith: doneWithout(error, plan.isOptional) };
  }
}

/**
 * The request with what was retrieved for it among its chunks, after those that it brought: of two with one id the
 * request's own stays.
 * @throws SluiceError as of `findChunks`, unless the request may go on without.
 */
export async function ground(
  ports: GroundPorts,
  { call, report, policy }: Seeker & { readonly policy: CachePolicy },
  drafted: DraftedContext,
  corpus: Corpus,
): Promise<DraftedContext> {
  const plan = drafted.draft.retrieval;
  // Who comes back for another seat has its chunks already.
  if (!plan || drafted.retrieval) return drafted;
  const { collection } = corpus;
  if (!collection) return without(drafted, plan.collection, corpus.failedWith);
  report.asked ??= { prompt: drafted.draft.prompt, target: drafted.target, key: plan.query };
  report.charges ??= new Charges(ports, report.payer);
  const { charges } = report;
  const defer = (ended: Promise<void>) => report.deferUntil(ended);
  try {
    const found = await report.trace.await(Stage.RETRIEVE, () =>
      findChunks(ports, { call, charges, policy, defer }, plan, collection),
    );
    const { chunks, duplicateIds, corpusVersion } = found;
    const { costNanoUsd } = charges.total();
    const more = { chunks: [...chunks], duplicateIds: [...duplicateIds], corpusVersion, costNanoUsd };
    return withChunks(drafted, create(RetrievalSchema, { collection: plan.collection, ...more }));
  } catch (error) {
    return without(drafted, plan.collection, doneWithout(error, plan.isOptional));
  }
}

function withChunks(drafted: DraftedContext, retrieval: Retrieval): DraftedContext {
  const { draft, target } = drafted;
  const own = new Set(draft.chunks.map(({ id }) => id));
  const mayHoldTokens = target.templateTokens === "text";
  // A document must not speak as the system: where the server might read its words as structure, it is not shown.
  const harmless = retrieval.chunks.filter(({ id, text }) => mayHoldTokens || !hasTemplateToken(id + text));
  const added = harmless.filter(({ id }) => !own.has(id));
  const field = draft.templateTokenField;
  return {
    ...drafted,
    retrieval: { ...retrieval, chunks: added },
    draft: {
      ...draft,
      chunks: [...draft.chunks, ...added.map(contextChunk)],
      // Other models of the chain may have servers that do.
      templateTokenField: () =>
        field() ?? (added.some(({ id, text }) => hasTemplateToken(id + text)) ? "input.retrieval" : undefined),
    },
  };
}

function without(drafted: DraftedContext, collection: string, failedWith: FailureReason | undefined): DraftedContext {
  return { ...drafted, retrieval: create(RetrievalSchema, { collection, failedWith: failedWith ?? "" }) };
}

function doneWithout(error: unknown, isOptional: boolean): FailureReason {
  if (isOptional && error instanceof SluiceError && MAY_BE_DONE_WITHOUT.has(error.failure.reason))
    return error.failure.reason;
  throw error;
}
