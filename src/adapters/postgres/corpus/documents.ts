import type pg from "pg";
import type { NewChunk, NewDocument, StoredDocument } from "../../../core/corpus.ts";
import { SluiceError } from "../../../core/failure.ts";
import { nearestNames } from "../../../core/nearest-names.ts";
import { type CollectionRow, lockCollection, mustExist, selectCollection } from "./collections.ts";
import type { CorpusDatabase, TenantWork } from "./database.ts";
import { vectorText } from "./vectors.ts";

/** Rows of one statement. The embedded database does nothing else meanwhile. */
const ROWS_AT_ONCE = 64;
/** Of those that are looked through for ids that are alike. */
const MAX_IDS = 1000;

const SUMMARY = `document_id, title, content_hash, text_bytes, chunk_count, metadata,
  (extract(epoch FROM updated_at) * 1000)::bigint AS updated_ms`;

function readDocument(row: pg.QueryResultRow): StoredDocument {
  return {
    id: row.document_id,
    title: row.title,
    contentHash: row.content_hash,
    textBytes: Number(row.text_bytes),
    chunkCount: row.chunk_count,
    metadata: row.metadata,
    updatedAtMs: Number(row.updated_ms),
  };
}

export function summaries(database: CorpusDatabase, work: TenantWork, collection: string, ids: readonly string[]) {
  const sql = selectCollection(work.tenant, collection);
  return database.read(work, { sql }, async (client, found) => {
    const { collectionId } = await mustExist(client, work, collection, found);
    const { rows } = await client.query(
      `SELECT ${SUMMARY} FROM documents WHERE tenant = $1 AND collection_id = $2 AND document_id = ANY ($3)`,
      [work.tenant, collectionId, ids],
    );
    return new Map(rows.map((row) => [String(row.document_id), readDocument(row)]));
  });
}

export function getDocument(database: CorpusDatabase, work: TenantWork, collection: string, id: string) {
  const sql = selectCollection(work.tenant, collection);
  return database.read(work, { sql }, async (client, found) => {
    const { collectionId } = await mustExist(client, work, collection, found);
    const { rows } = await client.query(
      `SELECT ${SUMMARY}, text FROM documents WHERE tenant = $1 AND collection_id = $2 AND document_id = $3`,
      [work.tenant, collectionId, id],
    );
    const [row] = rows;
    if (row) return { ...readDocument(row), text: String(row.text) };
    const known = await client.query<{ document_id: string }>(
      "SELECT document_id FROM documents WHERE tenant = $1 AND collection_id = $2 ORDER BY document_id LIMIT $3",
      [work.tenant, collectionId, MAX_IDS],
    );
    const ids = known.rows.map(({ document_id }) => document_id);
    throw new SluiceError({ reason: "UNKNOWN_DOCUMENT", name: id, nearest: nearestNames(id, ids) });
  });
}

export function listDocuments(
  database: CorpusDatabase,
  work: TenantWork,
  collection: string,
  { after, prefix, limit }: { readonly after: string; readonly prefix: string; readonly limit: number },
): Promise<readonly StoredDocument[]> {
  const sql = selectCollection(work.tenant, collection);
  return database.read(work, { sql }, async (client, found) => {
    const { collectionId } = await mustExist(client, work, collection, found);
    const { rows } = await client.query(
      `SELECT ${SUMMARY} FROM documents
       WHERE tenant = $1 AND collection_id = $2 AND document_id > $3 AND starts_with(document_id, $4)
       ORDER BY document_id LIMIT $5`,
      [work.tenant, collectionId, after, prefix, limit],
    );
    return rows.map(readDocument);
  });
}

/** Puts a document in the place of the one with its id. */
export function putDocument(
  database: CorpusDatabase,
  work: TenantWork,
  collection: string,
  document: NewDocument,
  embeddingModel: string,
) {
  return database.write(work, async (client) => {
    const known = await lockCollection(client, work, collection);
    mustBeOf(known, embeddingModel, document.chunks[0]?.vector.length);
    const removed = await removeDocuments(client, work, known, [document.id]);
    const added = { documents: 1 - removed.ids.length, chunks: document.chunks.length - removed.chunks };
    const version = await changed(client, known, added);
    await insertDocument(client, work, known, document, version);
    for (let from = 0; from < document.chunks.length; from += ROWS_AT_ONCE) {
      const chunks = document.chunks.slice(from, from + ROWS_AT_ONCE);
      await insertChunks(client, work, known, { document, version, from, chunks });
    }
    return { replaced: removed.ids.length > 0, corpusVersion: `${known.collectionId}.${version}` };
  });
}

export function deleteDocuments(
  database: CorpusDatabase,
  work: TenantWork,
  collection: string,
  ids: readonly string[],
) {
  return database.write(work, async (client) => {
    const known = await lockCollection(client, work, collection);
    const removed = await removeDocuments(client, work, known, ids);
    // What changes nothing leaves what was cached as it is.
    if (removed.ids.length === 0) return { deletedIds: [], corpusVersion: known.corpusVersion };
    const version = await changed(client, known, { documents: -removed.ids.length, chunks: -removed.chunks });
    return { deletedIds: removed.ids, corpusVersion: `${known.collectionId}.${version}` };
  });
}

/** @throws SluiceError COLLECTION_MISMATCH where vectors of this model, or of this many numbers, are none of its own. */
export function mustBeOf(known: CollectionRow, embeddingModel: string, dimension = known.dimension): void {
  if (known.embeddingModel === embeddingModel && known.dimension === dimension) return;
  throw new SluiceError({
    reason: "COLLECTION_MISMATCH",
    ...{ collection: known.name, embeddingModel: known.embeddingModel, dimension: known.dimension },
    language: known.language,
    requested: {
      ...(known.embeddingModel !== embeddingModel && { embeddingModel }),
      ...(known.dimension !== dimension && { dimension }),
    },
  });
}

async function removeDocuments(
  client: pg.PoolClient,
  { tenant }: TenantWork,
  { collectionId, generationId }: CollectionRow,
  ids: readonly string[],
): Promise<{ readonly ids: readonly string[]; readonly chunks: number }> {
  const { rows } = await client.query<{ document_id: string; chunk_count: number }>(
    `DELETE FROM documents WHERE tenant = $1 AND collection_id = $2 AND document_id = ANY ($3)
     RETURNING document_id, chunk_count`,
    [tenant, collectionId, ids],
  );
  const removed = rows.map(({ document_id }) => document_id).sort();
  if (removed.length === 0) return { ids: [], chunks: 0 };
  await client.query(
    `DELETE FROM chunks WHERE generation_id = ${BigInt(generationId)} AND tenant = $1 AND document_id = ANY ($2)`,
    [tenant, removed],
  );
  await client.query("SELECT sluice_drop_words($1, $2)", [collectionId, removed]);
  return { ids: removed, chunks: rows.reduce((sum, { chunk_count }) => sum + chunk_count, 0) };
}

/** A new version of the collection. */
async function changed(
  client: pg.PoolClient,
  { collectionId }: CollectionRow,
  added: { readonly documents: number; readonly chunks: number },
): Promise<string> {
  const { rows } = await client.query<{ version: string }>(
    `UPDATE collections SET version = version + 1, updated_at = now(),
       document_count = document_count + $2, chunk_count = chunk_count + $3
     WHERE collection_id = $1 RETURNING version`,
    [collectionId, added.documents, added.chunks],
  );
  const version = rows[0]?.version;
  if (version === undefined) throw new Error("a collection that is locked is not there");
  return version;
}

async function insertDocument(
  client: pg.PoolClient,
  { tenant }: TenantWork,
  { collectionId }: CollectionRow,
  { id, title, contentHash, text, metadata, chunks }: NewDocument,
  version: string,
): Promise<void> {
  await client.query(
    `INSERT INTO documents
       (collection_id, document_id, tenant, title, content_hash, text, text_bytes, chunk_count, metadata, revision)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      ...[collectionId, id, tenant, title, contentHash, text, Buffer.byteLength(text), chunks.length],
      ...[JSON.stringify(metadata), version],
    ],
  );
}

async function insertChunks(
  client: pg.PoolClient,
  { tenant }: TenantWork,
  { collectionId, generationId, language }: CollectionRow,
  rows: {
    readonly document: NewDocument;
    readonly version: string;
    readonly from: number;
    readonly chunks: readonly NewChunk[];
  },
): Promise<void> {
  const { document, version, from, chunks } = rows;
  const ordinals = chunks.map((_, index) => from + index);
  await client.query(
    `INSERT INTO chunks
       (generation_id, document_id, ordinal, tenant, revision, heading_path, start_bytes, end_bytes, text, metadata, embedding)
     SELECT $1, $2, given.ordinal, $3, $4, ARRAY(SELECT jsonb_array_elements_text(given.headings::jsonb)),
       given.start_bytes, given.end_bytes, given.text, $5, given.embedding::vector
     FROM unnest($6::integer[], $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::text[])
       AS given (ordinal, headings, start_bytes, end_bytes, text, embedding)`,
    [
      ...[generationId, document.id, tenant, version, JSON.stringify(document.metadata), ordinals],
      chunks.map(({ headingPath }) => JSON.stringify(headingPath)),
      chunks.map(({ startOffsetBytes }) => startOffsetBytes),
      chunks.map(({ endOffsetBytes }) => endOffsetBytes),
      chunks.map(({ text }) => text),
      chunks.map(({ vector }) => vectorText(vector)),
    ],
  );
  // Headings are words to be found by, too.
  const texts = chunks.map(({ headingPath, text }) => [document.title, ...headingPath, text].join("\n"));
  await client.query("SELECT sluice_put_words($1, $2, $3::regconfig, $4, $5)", [
    ...[collectionId, document.id, language, ordinals, texts],
  ]);
}
