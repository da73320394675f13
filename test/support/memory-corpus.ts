import type {
  ChunkQuery,
  CollectionSettings,
  CorpusStore,
  NewDocument,
  ReembedBatch,
  StoredCollection,
  StoredDocument,
} from "../../src/core/corpus.ts";
import { invalidRequest, SluiceError } from "../../src/core/failure.ts";
import { nearestNames } from "../../src/core/nearest-names.ts";
import { byCodePoints, type SearchedChunk, searchExactly } from "./memory-corpus/search.ts";

interface KeptDocument extends NewDocument {
  readonly updatedAtMs: number;
}

interface Reembedding {
  readonly embeddingModel: string;
  readonly dimension: number;
  /** By document, then by number of the chunk; the text says what the vector is of. */
  readonly vectors: Map<string, Map<number, { readonly text: string; readonly vector: Float32Array }>>;
}

interface KeptCollection {
  settings: CollectionSettings;
  version: number;
  updatedAtMs: number;
  readonly createdAtMs: number;
  readonly documents: Map<string, KeptDocument>;
  reembedding?: Reembedding;
}

const MAX_COLLECTIONS = 1_000;

/** A corpus store in memory that compares every vector. What it was asked is in `asked`, by the names of its methods. */
export class MemoryCorpus implements CorpusStore {
  readonly asked: string[] = [];
  /** Runs before every method; may throw, as a database that is away does. */
  before: (method: string) => void | Promise<void> = () => {};
  readonly #tenants = new Map<string, Map<string, KeptCollection>>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => 0) {
    this.#nowMs = nowMs;
  }

  async collection(tenant: string, name: string, signal: AbortSignal): Promise<StoredCollection | undefined> {
    await this.#enter("collection", signal);
    const kept = this.#collectionsOf(tenant).get(name);
    return kept && described(tenant, name, kept);
  }

  async collections(tenant: string, signal: AbortSignal): Promise<readonly StoredCollection[]> {
    await this.#enter("collections", signal);
    return [...this.#collectionsOf(tenant)]
      .sort(([a], [b]) => byCodePoints(a, b))
      .map(([name, kept]) => described(tenant, name, kept));
  }

  async ensureCollection(tenant: string, name: string, settings: CollectionSettings, signal: AbortSignal) {
    await this.#enter("ensureCollection", signal);
    const collections = this.#collectionsOf(tenant);
    const nowMs = this.#nowMs();
    const kept: KeptCollection = collections.get(name) ?? {
      settings,
      version: 1,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      documents: new Map(),
    };
    if (!collections.has(name) && collections.size >= MAX_COLLECTIONS) {
      throw invalidRequest("collection", "collections.max", `a tenant has at most ${MAX_COLLECTIONS} collections`);
    }
    collections.set(name, kept);
    return described(tenant, name, kept);
  }

  async summaries(tenant: string, collection: string, ids: readonly string[], signal: AbortSignal) {
    await this.#enter("summaries", signal);
    const { documents } = this.#find(tenant, collection);
    return new Map(
      ids.flatMap((id) => {
        const document = documents.get(id);
        return document ? [[id, summary(document)] as const] : [];
      }),
    );
  }

  async putDocument(
    tenant: string,
    collection: string,
    document: NewDocument,
    embeddingModel: string,
    signal: AbortSignal,
  ) {
    await this.#enter("putDocument", signal);
    const kept = this.#find(tenant, collection);
    mustBeOf(collection, kept, embeddingModel);
    const replaced = kept.documents.has(document.id);
    kept.documents.set(document.id, { ...document, updatedAtMs: this.#nowMs() });
    return { replaced, corpusVersion: this.#changed(kept) };
  }

  async document(tenant: string, collection: string, id: string, signal: AbortSignal) {
    await this.#enter("document", signal);
    const { documents } = this.#find(tenant, collection);
    const document = documents.get(id);
    if (!document) {
      throw new SluiceError({ reason: "UNKNOWN_DOCUMENT", name: id, nearest: nearestNames(id, documents.keys()) });
    }
    return { ...summary(document), text: document.text };
  }

  async documents(
    tenant: string,
    collection: string,
    { after, prefix, limit }: { readonly after: string; readonly prefix: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly StoredDocument[]> {
    await this.#enter("documents", signal);
    return [...this.#find(tenant, collection).documents.values()]
      .filter(({ id }) => id.startsWith(prefix) && byCodePoints(id, after) > 0)
      .sort((a, b) => byCodePoints(a.id, b.id))
      .slice(0, limit)
      .map(summary);
  }

  async deleteDocuments(tenant: string, collection: string, ids: readonly string[], signal: AbortSignal) {
    await this.#enter("deleteDocuments", signal);
    const kept = this.#find(tenant, collection);
    const deletedIds = ids.filter((id) => kept.documents.delete(id));
    return { deletedIds, corpusVersion: deletedIds.length > 0 ? this.#changed(kept) : versionOf(kept) };
  }

  async deleteCollection(tenant: string, name: string, signal: AbortSignal) {
    await this.#enter("deleteCollection", signal);
    const { documentCount, chunkCount } = described(tenant, name, this.#find(tenant, name));
    this.#collectionsOf(tenant).delete(name);
    return { documentCount, chunkCount };
  }

  async search(query: ChunkQuery, signal: AbortSignal) {
    await this.#enter("search", signal);
    const kept = this.#find(query.tenant, query.collection);
    mustBeOf(query.collection, kept, query.embeddingModel);
    return { chunks: searchExactly(chunksOf(kept), query), corpusVersion: versionOf(kept) };
  }

  async reembedBatch(
    tenant: string,
    collection: string,
    model: { readonly embeddingModel: string; readonly dimension: number },
    limit: number,
    signal: AbortSignal,
  ): Promise<ReembedBatch> {
    await this.#enter("reembedBatch", signal);
    const kept = this.#find(tenant, collection);
    const { embeddingModel, dimension } = kept.reembedding ?? {};
    if (embeddingModel !== model.embeddingModel || dimension !== model.dimension) {
      kept.reembedding = { ...model, vectors: new Map() };
    }
    const all = chunksOf(kept);
    const missing = all.filter((chunk) => !newVectorOf(kept, chunk));
    return {
      chunks: missing.slice(0, limit).map(({ document, ordinal, chunk }) => ({
        ...{ documentId: document.id, title: document.title, ordinal },
        ...{ headingPath: chunk.headingPath, text: chunk.text },
      })),
      embeddedChunks: all.length - missing.length,
      totalChunks: all.length,
      token: model.embeddingModel,
    };
  }

  async storeReembedded(
    tenant: string,
    collection: string,
    batch: Pick<ReembedBatch, "token" | "chunks"> & { readonly vectors: readonly Float32Array[] },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#enter("storeReembedded", signal);
    const { reembedding } = this.#find(tenant, collection);
    if (reembedding?.embeddingModel !== batch.token) return;
    for (const [index, { documentId, ordinal, text }] of batch.chunks.entries()) {
      const vector = batch.vectors[index];
      if (!vector) throw new Error("a chunk has no vector");
      const vectors = reembedding.vectors.get(documentId) ?? new Map();
      reembedding.vectors.set(documentId, vectors.set(ordinal, { text, vector }));
    }
  }

  async finishReembedding(tenant: string, collection: string, embeddingModel: string, signal: AbortSignal) {
    await this.#enter("finishReembedding", signal);
    const kept = this.#find(tenant, collection);
    const { reembedding } = kept;
    if (reembedding?.embeddingModel !== embeddingModel) return false;
    const vectors = chunksOf(kept).map((chunk) => newVectorOf(kept, chunk));
    if (vectors.includes(undefined)) return false;
    for (const document of kept.documents.values()) {
      const chunks = document.chunks.map((chunk, ordinal) => {
        const vector = newVectorOf(kept, { document, ordinal, chunk });
        return vector ? { ...chunk, vector } : chunk;
      });
      kept.documents.set(document.id, { ...document, chunks });
    }
    kept.settings = { ...kept.settings, embeddingModel, dimension: reembedding.dimension };
    delete kept.reembedding;
    this.#changed(kept);
    return true;
  }

  async #enter(method: string, signal: AbortSignal): Promise<void> {
    this.asked.push(method);
    await this.before(method);
    signal.throwIfAborted();
  }

  #collectionsOf(tenant: string): Map<string, KeptCollection> {
    const collections = this.#tenants.get(tenant) ?? new Map<string, KeptCollection>();
    this.#tenants.set(tenant, collections);
    return collections;
  }

  #find(tenant: string, name: string): KeptCollection {
    const collections = this.#collectionsOf(tenant);
    const kept = collections.get(name);
    if (kept) return kept;
    throw new SluiceError({ reason: "UNKNOWN_COLLECTION", name, nearest: nearestNames(name, collections.keys()) });
  }

  #changed(kept: KeptCollection): string {
    kept.version += 1;
    kept.updatedAtMs = this.#nowMs();
    return versionOf(kept);
  }
}

function versionOf({ version }: KeptCollection): string {
  return `v${version}`;
}

function described(tenant: string, name: string, kept: KeptCollection): StoredCollection {
  const { settings, createdAtMs, updatedAtMs, reembedding } = kept;
  return {
    ...settings,
    ...{ tenant, name, createdAtMs, updatedAtMs },
    corpusVersion: versionOf(kept),
    documentCount: kept.documents.size,
    chunkCount: chunksOf(kept).length,
    isIndexed: false,
    ...(reembedding && { reembeddingModel: reembedding.embeddingModel }),
  };
}

function summary({ id, title, contentHash, text, chunks, metadata, updatedAtMs }: KeptDocument): StoredDocument {
  const textBytes = Buffer.byteLength(text);
  return { id, title, contentHash, textBytes, chunkCount: chunks.length, metadata, updatedAtMs };
}

function chunksOf({ documents }: KeptCollection): SearchedChunk[] {
  return [...documents.values()].flatMap((document) =>
    document.chunks.map((chunk, ordinal) => ({ document, ordinal, chunk })),
  );
}

function newVectorOf({ reembedding }: KeptCollection, { document, ordinal, chunk }: SearchedChunk) {
  const made = reembedding?.vectors.get(document.id)?.get(ordinal);
  return made?.text === chunk.text ? made.vector : undefined;
}

function mustBeOf(collection: string, { settings }: KeptCollection, embeddingModel: string): void {
  if (settings.embeddingModel === embeddingModel) return;
  throw new SluiceError({ reason: "COLLECTION_MISMATCH", collection, ...settings, requested: { embeddingModel } });
}
