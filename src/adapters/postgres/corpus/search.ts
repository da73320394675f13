import type pg from "pg";
import type { ChunkQuery, FoundChunk } from "../../../core/corpus.ts";
import { type CollectionRow, mustExist, selectCollection } from "./collections.ts";
import type { CorpusDatabase, TenantWork } from "./database.ts";
import { mustBeOf } from "./documents.ts";
import { filterSql } from "./filter.ts";
import { comparison, vectorText } from "./vectors.ts";

/** Candidates that the index keeps while it searches; more is slower and finds more (see docs/performance.md). */
const EF_SEARCH = 120;
/** With a filter, of which most of them may be lost to it. */
const EF_SEARCH_FILTERED = 400;
/** A filter that keeps so few chunks is better served by comparing them all: the index finds few of what lies scattered. */
const FEW_CHUNKS = 5000;
/** In a larger collection it would take too long to look at every chunk's metadata for that. */
const MAX_LOOKED_AT_CHUNKS = 300_000;
/** Rows of the index that are looked at in search of those that fit a filter. */
const MAX_SCAN_TUPLES = 20_000;
/** Of each half of a hybrid search, for each chunk that is wanted. */
const CANDIDATES = 4;
const MIN_CANDIDATES = 40;
/** Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009): k = 60. */
const RANK_CONSTANT = 60;
/** Of a long query the beginning is looked for by words: each word costs a look-up. */
const MAX_WORDS_CHARACTERS = 2000;

const settings = (query: ChunkQuery) => [
  `SET LOCAL hnsw.ef_search = ${query.filter.length > 0 ? EF_SEARCH_FILTERED : EF_SEARCH};`,
  "SET LOCAL hnsw.iterative_scan = strict_order;",
  `SET LOCAL hnsw.max_scan_tuples = ${MAX_SCAN_TUPLES};`,
  // Postgres does not know what comparing vectors costs, and would sort some thousands of them rather than ask the index.
  "SET LOCAL enable_sort = off;",
  // A sort that cannot be helped then looks so dear that Postgres would compile the statement first, for 25 ms.
  "SET LOCAL jit = off;",
];

/** The chunks that fit best, best first, and the version of what was searched. */
export function search(database: CorpusDatabase, work: TenantWork, query: ChunkQuery) {
  const first = { sql: selectCollection(work.tenant, query.collection), settings: settings(query).join(" ") };
  return database.read(work, first, async (client, rows) => {
    const collection = await mustExist(client, work, query.collection, rows);
    mustBeOf(collection, query.embeddingModel, query.vector.length);
    const asked: Asked = { client, collection, query };
    const chunks = query.words === undefined ? await byMeaning(asked, query.topK) : await hybrid(asked, query.words);
    return { chunks, corpusVersion: collection.corpusVersion };
  });
}

interface Asked {
  readonly client: pg.PoolClient;
  readonly collection: CollectionRow;
  readonly query: ChunkQuery;
}

const WITHOUT_INDEX = "SET LOCAL enable_indexscan = off";

const columns = (type: string) => `
  c.document_id, c.ordinal, c.heading_path, c.start_bytes, c.end_bytes, c.text, c.metadata,
  (SELECT d.title FROM documents d
   WHERE d.tenant = $2 AND d.collection_id = $3 AND d.document_id = c.document_id) AS title,
  1 - (c.embedding::${type} <=> $1::${type}) AS similarity`;

/** The values that every search begins with. */
function firstValues({ collection, query }: Asked): unknown[] {
  return [vectorText(query.vector), query.tenant, collection.collectionId];
}

async function byMeaning(asked: Asked, limit: number): Promise<FoundChunk[]> {
  const { client, collection, query } = asked;
  const { type } = comparison(collection.dimension);
  const { sql, values } = filterSql(query.filter, 4);
  // The number of the generation is written out, so that only its own table is planned for.
  const text = `SELECT ${columns(type)} FROM chunks c
    WHERE c.generation_id = ${BigInt(collection.generationId)} AND c.tenant = $2${sql}
    ORDER BY c.embedding::${type} <=> $1::${type} LIMIT ${limit}`;
  const run = async () => (await client.query(text, [...firstValues(asked), ...values])).rows;
  if (await fitFew(asked)) await client.query(WITHOUT_INDEX);
  let rows = await run();
  // The index gives up after so many rows that do not fit: what fits may lie behind them.
  if (rows.length < limit && collection.isIndexed && collection.chunkCount > MAX_SCAN_TUPLES / 2) {
    await client.query(WITHOUT_INDEX);
    rows = await run();
  }
  const { minSimilarity = -1 } = query;
  // A similarity of exactly -1 may be computed as a little less.
  return rows.map(found).filter(({ similarity }) => minSimilarity <= -1 || similarity >= minSimilarity);
}

/** Whether the filter of an indexed collection is known to keep few chunks. */
async function fitFew({ client, collection, query }: Asked): Promise<boolean> {
  const { isIndexed, chunkCount, generationId } = collection;
  if (query.filter.length === 0 || !isIndexed || chunkCount > MAX_LOOKED_AT_CHUNKS) return false;
  const { sql, values } = filterSql(query.filter, 2);
  const { rows } = await client.query<{ few: boolean }>(
    `SELECT count(*) <= ${FEW_CHUNKS} AS few FROM (
       SELECT FROM chunks c WHERE c.generation_id = ${BigInt(generationId)} AND c.tenant = $1${sql}
       LIMIT ${FEW_CHUNKS + 1}) first_ones`,
    [query.tenant, ...values],
  );
  return rows[0]?.few === true;
}

async function byWords(asked: Asked, words: string, limit: number): Promise<FoundChunk[]> {
  const { client, collection, query } = asked;
  const { type } = comparison(collection.dimension);
  const { sql, values } = filterSql(query.filter, 6);
  // A filter looks at what was found: then nothing of it may be left out before.
  const most = query.filter.length > 0 ? "NULL" : limit;
  // Any of the words, where `plainto_tsquery` asks for all of them.
  const { rows } = await client.query(
    `SELECT ${columns(type)}
     FROM sluice_match_words($3, replace(plainto_tsquery($4::regconfig, $5)::text, ' & ', ' | ')::tsquery, ${most}) w
     JOIN chunks c ON c.document_id = w.document_id AND c.ordinal = w.ordinal
     WHERE c.generation_id = ${BigInt(collection.generationId)} AND c.tenant = $2${sql}
     ORDER BY w.rank DESC, c.document_id, c.ordinal LIMIT ${limit}`,
    [...firstValues(asked), collection.language, words.slice(0, MAX_WORDS_CHARACTERS), ...values],
  );
  return rows.map(found);
}

/** Both rankings in one: each chunk by the sum of its reciprocal ranks. */
async function hybrid(asked: Asked, words: string): Promise<FoundChunk[]> {
  const { topK } = asked.query;
  const limit = Math.max(topK * CANDIDATES, MIN_CANDIDATES);
  const rankings = [await byMeaning(asked, limit), await byWords(asked, words, limit)];
  const fused = new Map<string, FoundChunk>();
  for (const ranking of rankings) {
    for (const [rank, chunk] of ranking.entries()) {
      const key = JSON.stringify([chunk.documentId, chunk.ordinal]);
      const score = (fused.get(key)?.score ?? 0) + 1 / (RANK_CONSTANT + rank + 1);
      fused.set(key, { ...chunk, score });
    }
  }
  // Among equals the more similar one; the sort keeps the order of the rest.
  return [...fused.values()].sort((a, b) => b.score - a.score || b.similarity - a.similarity).slice(0, topK);
}

function found(row: pg.QueryResultRow): FoundChunk {
  const similarity = Number(row.similarity);
  return {
    documentId: row.document_id,
    ordinal: row.ordinal,
    title: row.title ?? "",
    headingPath: row.heading_path,
    startOffsetBytes: Number(row.start_bytes),
    endOffsetBytes: Number(row.end_bytes),
    text: row.text,
    metadata: row.metadata,
    similarity,
    score: similarity,
  };
}
