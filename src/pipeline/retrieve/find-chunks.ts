import type { RetrievedChunk } from "../../../gen/sluice/v1/retrieval_pb.ts";
import type { Call } from "../../core/call.ts";
import type { CorpusStore, StoredCollection } from "../../core/corpus.ts";
import type { EmbeddingTarget } from "../../core/embedding.ts";
import { SluiceError } from "../../core/failure.ts";
import { nearestNames } from "../../core/nearest-names.ts";
import type { CachePolicy } from "../cache.ts";
import type { Charges } from "../charge.ts";
import { type EmbedJob, type EmbedPorts, embedTexts } from "../embed.ts";
import { chunkId, retrievedChunk } from "./chunk-messages.ts";
import { distinct } from "./distinct.ts";
import type { RetrievalPlan } from "./plan.ts";

export interface FindChunksPorts extends EmbedPorts {
  readonly corpus: CorpusStore;
}

/** Whom a retrieval is for, and who pays for its embedding. */
export interface FindJob {
  readonly call: Call;
  readonly charges: Charges;
  /** As of `EmbedJob`. */
  readonly defer: NonNullable<EmbedJob["defer"]>;
  /** How the cache of vectors is used. */
  readonly policy: Pick<CachePolicy, "mayRead" | "mayWrite" | "mayJoin" | "onlyIfCached">;
}

/** What was found. */
export interface FoundChunks {
  /** Best first, at most as many as the plan says. */
  readonly chunks: readonly RetrievedChunk[];
  /** Of chunks that nearly repeat a better one. */
  readonly duplicateIds: readonly string[];
  readonly corpusVersion: string;
}

/** Most that stores are asked for, as in the contract. */
const MAX_TOP_K = 100;

/**
 * The collection that a plan names.
 * @throws SluiceError UNKNOWN_COLLECTION with the nearest names, STORE_UNAVAILABLE.
 */
export async function findCollection(
  { corpus }: Pick<FindChunksPorts, "corpus">,
  { caller, signal }: Call,
  name: string,
): Promise<StoredCollection> {
  const found = await corpus.collection(caller.tenant, name, signal);
  if (found) return found;
  const known = await corpus.collections(caller.tenant, signal);
  const nearest = nearestNames(
    name,
    known.map((collection) => collection.name),
  );
  throw new SluiceError({ reason: "UNKNOWN_COLLECTION", name, nearest });
}

/**
 * Embeds the query as the collection was embedded, and searches. The query's vector is cached like any other.
 * @throws SluiceError COLLECTION_MISMATCH, UNKNOWN_MODEL where the configuration lost the collection's model,
 *   STORE_UNAVAILABLE, and what embedding fails with; the signal's reason.
 */
export async function findChunks(
  ports: FindChunksPorts,
  { call, charges, policy: asked, defer }: FindJob,
  plan: RetrievalPlan,
  collection: StoredCollection,
): Promise<FoundChunks> {
  const { tenant } = call.caller;
  const target = targetOf(ports, collection);
  const { signal, deadline } = call;
  // The built-in model never costs money.
  const onlyIfCached = asked.onlyIfCached && !target.isBuiltIn;
  const policy = { ...asked, onlyIfCached, ttlMs: ports.vectorTtlMs };
  const fieldOf = () => "the query";
  const { vectors } = await embedTexts(ports, {
    ...{ call, charges, target, policy, signal, deadline, fieldOf, defer },
    texts: [plan.query],
  });
  const [vector] = vectors;
  if (!vector) throw new Error("one text has one vector");
  const { chunks, corpusVersion } = await ports.corpus.search(
    {
      tenant,
      collection: plan.collection,
      vector,
      ...(plan.isHybrid && { words: plan.query }),
      // Some of them may repeat others.
      topK: Math.min(plan.topK + Math.ceil(plan.topK / 2), MAX_TOP_K),
      ...(plan.minSimilarity !== undefined && { minSimilarity: plan.minSimilarity }),
      filter: plan.filter,
      embeddingModel: target.alias,
    },
    signal,
  );
  const { kept, duplicates } = distinct(chunks);
  return {
    chunks: kept.slice(0, plan.topK).map(retrievedChunk),
    duplicateIds: duplicates.map(chunkId),
    corpusVersion,
  };
}

/** The model that the collection's vectors are of, as the configuration has it now. */
function targetOf({ embeddingModels }: FindChunksPorts, collection: StoredCollection): EmbeddingTarget {
  const target = embeddingModels.resolve(collection.embeddingModel);
  if (target.dimension === collection.dimension) return target;
  const { name, embeddingModel, dimension, language } = collection;
  const requested = { dimension: target.dimension };
  throw new SluiceError({
    reason: "COLLECTION_MISMATCH",
    ...{ collection: name, embeddingModel, dimension, language, requested },
  });
}
