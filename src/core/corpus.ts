import type { JsonObject } from "@bufbuild/protobuf";

/** What a collection's vectors are of. */
export interface CollectionSettings {
  /** Alias of the embedding model. */
  readonly embeddingModel: string;
  readonly dimension: number;
  /** Of its full-text search: a configuration of Postgres, such as "english" or "simple". */
  readonly language: string;
}

/** A collection of a tenant. */
export interface StoredCollection extends CollectionSettings {
  readonly tenant: string;
  readonly name: string;
  /** Changes with every change of what can be retrieved, and never comes back to an earlier one. */
  readonly corpusVersion: string;
  readonly documentCount: number;
  readonly chunkCount: number;
  readonly isIndexed: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** The model that its chunks are being embedded anew with. */
  readonly reembeddingModel?: string;
}

/** Document metadata: texts, finite numbers, bools, and lists of these. */
export type Metadata = JsonObject;

/** A document without its text. */
export interface StoredDocument {
  readonly id: string;
  readonly title: string;
  readonly contentHash: string;
  readonly textBytes: number;
  readonly chunkCount: number;
  readonly metadata: Metadata;
  readonly updatedAtMs: number;
}

/** A chunk on its way into the store. */
export interface NewChunk {
  readonly text: string;
  readonly headingPath: readonly string[];
  readonly startOffsetBytes: number;
  readonly endOffsetBytes: number;
  readonly vector: Float32Array;
}

/** A document on its way into the store. */
export interface NewDocument {
  readonly id: string;
  readonly title: string;
  readonly contentHash: string;
  readonly text: string;
  readonly metadata: Metadata;
  /** Numbered from 0 in this order. At least one. */
  readonly chunks: readonly NewChunk[];
}

export type MetadataScalar = string | number | boolean;

/** A condition on a key of the metadata, its shape checked. */
export type MetadataCondition =
  | { readonly key: string; readonly test: "in"; readonly values: readonly MetadataScalar[] }
  | {
      readonly key: string;
      readonly test: "range";
      /** All numbers or all texts; texts compare by code points. */
      readonly gt?: string | number;
      readonly gte?: string | number;
      readonly lt?: string | number;
      readonly lte?: string | number;
    }
  | { readonly key: string; readonly test: "exists"; readonly exists: boolean };

/** What to look for. */
export interface ChunkQuery {
  readonly tenant: string;
  readonly collection: string;
  readonly vector: Float32Array;
  /** For the full-text half. Present: hybrid. */
  readonly words?: string;
  readonly topK: number;
  /** Of what is found by meaning. */
  readonly minSimilarity?: number;
  /** All hold. */
  readonly filter: readonly MetadataCondition[];
  /** Of the vector. Where the collection is of another by now, nothing is searched. */
  readonly embeddingModel: string;
}

export interface FoundChunk {
  readonly documentId: string;
  /** Its number in the document. */
  readonly ordinal: number;
  readonly title: string;
  readonly headingPath: readonly string[];
  readonly startOffsetBytes: number;
  readonly endOffsetBytes: number;
  readonly text: string;
  readonly metadata: Metadata;
  /** Cosine similarity. */
  readonly similarity: number;
  /** What it is ranked by: the similarity, or fused reciprocal ranks. */
  readonly score: number;
}

/** A chunk to embed anew. The title is its document's: both are part of what is embedded. */
export interface ReembedChunk {
  readonly documentId: string;
  readonly ordinal: number;
  readonly title: string;
  readonly headingPath: readonly string[];
  readonly text: string;
}

/** How a re-embedding stands. */
export interface ReembedBatch {
  /** Chunks without a new vector, at most as many as were asked for. Empty: all have theirs. */
  readonly chunks: readonly ReembedChunk[];
  readonly embeddedChunks: number;
  readonly totalChunks: number;
  /** What the vectors of `chunks` are stored for; those of a chunk that has changed meanwhile are not stored. */
  readonly token: string;
}

/**
 * Documents, chunks and vectors. Every method works for one tenant and sees nothing of others.
 * @throws SluiceError everywhere: STORE_UNAVAILABLE while the database is away, OVERLOADED where it takes too long or too
 *   much is asked at once; UNKNOWN_COLLECTION where a collection is named that does not exist. The signal's reason when
 *   it is aborted; a statement under way is ended then where the database can.
 */
export interface CorpusStore {
  /** Undefined where there is none. Cheap: it is asked before every retrieval. */
  collection(tenant: string, name: string, signal: AbortSignal): Promise<StoredCollection | undefined>;
  /** By name. */
  collections(tenant: string, signal: AbortSignal): Promise<readonly StoredCollection[]>;
  /**
   * The collection, made with these settings where there is none.
   * @throws SluiceError INVALID_REQUEST (`collection`, rule `collections.max`) beyond 1,000 of a tenant.
   */
  ensureCollection(
    tenant: string,
    name: string,
    settings: CollectionSettings,
    signal: AbortSignal,
  ): Promise<StoredCollection>;
  /** What is known of those of the documents that are there, by id. */
  summaries(
    tenant: string,
    collection: string,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Pick<StoredDocument, "contentHash" | "textBytes" | "chunkCount">>>;
  /**
   * Puts a document in the place of the one with its id, in one transaction that also changes the corpus version.
   * @param embeddingModel of the vectors.
   * @returns whether there was one before, and the new corpus version.
   * @throws SluiceError COLLECTION_MISMATCH where the collection is of another model by now; then nothing is stored.
   */
  putDocument(
    tenant: string,
    collection: string,
    document: NewDocument,
    embeddingModel: string,
    signal: AbortSignal,
  ): Promise<{ readonly replaced: boolean; readonly corpusVersion: string }>;
  /** @throws SluiceError UNKNOWN_DOCUMENT. */
  document(
    tenant: string,
    collection: string,
    id: string,
    signal: AbortSignal,
  ): Promise<StoredDocument & { readonly text: string }>;
  /** By id in the order of code points, after `after`. */
  documents(
    tenant: string,
    collection: string,
    page: { readonly after: string; readonly prefix: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly StoredDocument[]>;
  /** In one transaction. */
  deleteDocuments(
    tenant: string,
    collection: string,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly deletedIds: readonly string[]; readonly corpusVersion: string }>;
  deleteCollection(
    tenant: string,
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly documentCount: number; readonly chunkCount: number }>;
  /**
   * The chunks that fit best, best first, and the version that was searched.
   * @throws SluiceError COLLECTION_MISMATCH where the collection is of another model by now.
   */
  search(
    query: ChunkQuery,
    signal: AbortSignal,
  ): Promise<{ readonly chunks: readonly FoundChunk[]; readonly corpusVersion: string }>;
  /** The next chunks to embed with another model; begins a new set of vectors where there is none of that model yet. */
  reembedBatch(
    tenant: string,
    collection: string,
    model: { readonly embeddingModel: string; readonly dimension: number },
    limit: number,
    signal: AbortSignal,
  ): Promise<ReembedBatch>;
  storeReembedded(
    tenant: string,
    collection: string,
    batch: Pick<ReembedBatch, "token" | "chunks"> & { readonly vectors: readonly Float32Array[] },
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Switches over where every chunk has its new vector; false where some came meanwhile that have none. The index of a
   * large set is built first.
   */
  finishReembedding(tenant: string, collection: string, embeddingModel: string, signal: AbortSignal): Promise<boolean>;
}
