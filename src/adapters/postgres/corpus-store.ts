import type pg from "pg";
import type { Clock } from "../../core/clock.ts";
import type { CorpusStore } from "../../core/corpus.ts";
import type { Log } from "../../core/log.ts";
import { deleteCollection, ensureCollection, findCollection, listCollections } from "./corpus/collections.ts";
import { CorpusDatabase } from "./corpus/database.ts";
import { deleteDocuments, getDocument, listDocuments, putDocument, summaries } from "./corpus/documents.ts";
import { IndexKeeper } from "./corpus/index-keeper.ts";
import { pendingGeneration, reembedBatch, storeReembedded, switchGeneration } from "./corpus/reembed.ts";
import { search } from "./corpus/search.ts";

export interface CorpusStoreOptions {
  /** The pool of a database with the schema of retrieval, which may still be opening. */
  readonly pool: Promise<pg.Pool>;
  /** What stands in the way where the pool does not come; default `postgres`. */
  readonly obstacle?: () => string | undefined;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Documents, chunks and vectors in Postgres with pgvector, or in the embedded database. `buildIndexes` does what else is
 * done in the background once writes have been quiet.
 */
export function createCorpusStore(
  options: CorpusStoreOptions,
): CorpusStore & { buildIndexes(): Promise<void>; close(): Promise<void> } {
  const database = new CorpusDatabase(options);
  const keeper = new IndexKeeper(options);
  return {
    collection: (tenant, name, signal) => findCollection(database, { tenant, signal }, name),
    collections: (tenant, signal) => listCollections(database, { tenant, signal }),
    ensureCollection: (tenant, name, settings, signal) =>
      ensureCollection(database, { tenant, signal }, name, settings),
    summaries: (tenant, collection, ids, signal) => summaries(database, { tenant, signal }, collection, ids),
    async putDocument(tenant, collection, document, embeddingModel, signal) {
      const put = await putDocument(database, { tenant, signal }, collection, document, embeddingModel);
      keeper.touched();
      return put;
    },
    document: (tenant, collection, id, signal) => getDocument(database, { tenant, signal }, collection, id),
    documents: (tenant, collection, page, signal) => listDocuments(database, { tenant, signal }, collection, page),
    deleteDocuments: (tenant, collection, ids, signal) =>
      deleteDocuments(database, { tenant, signal }, collection, ids),
    deleteCollection: (tenant, name, signal) => deleteCollection(database, { tenant, signal }, name),
    search: (query, signal) => search(database, { tenant: query.tenant, signal }, query),
    reembedBatch: (tenant, collection, model, limit, signal) =>
      reembedBatch(database, { tenant, signal }, collection, model, limit),
    storeReembedded: (tenant, collection, batch, signal) =>
      storeReembedded(database, { tenant, signal }, collection, batch),
    async finishReembedding(tenant, collection, embeddingModel, signal) {
      const work = { tenant, signal };
      // Before the switch: else the first questions after it would compare every vector.
      if (await pendingGeneration(database, work, collection, embeddingModel)) await keeper.buildAll();
      return switchGeneration(database, work, collection, embeddingModel);
    },
    buildIndexes: () => keeper.buildAll(),
    close: () => keeper.close(),
  };
}
