import type pg from "pg";
import type { ReembedBatch } from "../../../core/corpus.ts";
import { addGeneration, type CollectionRow, lockCollection } from "./collections.ts";
import type { CorpusDatabase, TenantWork } from "./database.ts";
import { chunksTable, vectorText } from "./vectors.ts";

interface NewModel {
  readonly embeddingModel: string;
  readonly dimension: number;
}

/** What a batch was read from: the new generation, and the revision of each chunk's document. */
interface Token {
  readonly generationId: string;
  readonly revisions: readonly string[];
}

/** Chunks of the live generation whose document is as it was when they were embedded anew. */
const SAME = "n.document_id = c.document_id AND n.ordinal = c.ordinal AND n.revision = c.revision";

/** The next chunks without a new vector; begins a new generation where there is none of this model yet. */
export function reembedBatch(
  database: CorpusDatabase,
  work: TenantWork,
  collection: string,
  model: NewModel,
  limit: number,
): Promise<ReembedBatch> {
  return database.write({ ...work, asOwner: true }, async (client) => {
    const known = await lockCollection(client, work, collection);
    const generationId = await newGeneration(client, known, model);
    const { rows } = await client.query<{
      document_id: string;
      ordinal: number;
      text: string;
      heading_path: string[];
      title: string;
      revision: string;
    }>(
      `SELECT c.document_id, c.ordinal, c.text, c.heading_path, c.revision, d.title
       FROM chunks c JOIN documents d ON d.collection_id = $1 AND d.document_id = c.document_id
       WHERE c.generation_id = ${BigInt(known.generationId)} AND c.tenant = $2 AND NOT EXISTS (
         SELECT FROM chunks n WHERE n.generation_id = ${BigInt(generationId)} AND ${SAME})
       ORDER BY c.document_id, c.ordinal LIMIT $3`,
      [known.collectionId, work.tenant, limit],
    );
    const token: Token = { generationId, revisions: rows.map(({ revision }) => revision) };
    return {
      chunks: rows.map(({ document_id, ordinal, text, title, heading_path }) => ({
        ...{ documentId: document_id, ordinal, text, title, headingPath: heading_path },
      })),
      embeddedChunks: await countNew(client, known, generationId),
      totalChunks: known.chunkCount,
      token: JSON.stringify(token),
    };
  });
}

async function newGeneration(client: pg.PoolClient, known: CollectionRow, model: NewModel): Promise<string> {
  const { rows } = await client.query<{ generation_id: string; embedding_model: string; dimension: number }>(
    "SELECT generation_id, embedding_model, dimension FROM generations WHERE collection_id = $1 AND generation_id <> $2",
    [known.collectionId, known.generationId],
  );
  const isSame = (row: { embedding_model: string; dimension: number }) =>
    row.embedding_model === model.embeddingModel && row.dimension === model.dimension;
  // What was begun with another model is given up.
  for (const row of rows) if (!isSame(row)) await dropGeneration(client, row.generation_id);
  return rows.find(isSame)?.generation_id ?? addGeneration(client, known.collectionId, model);
}

async function countNew(client: pg.PoolClient, known: CollectionRow, generationId: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM chunks n JOIN chunks c ON ${SAME}
     WHERE n.generation_id = ${BigInt(generationId)} AND c.generation_id = ${BigInt(known.generationId)}`,
  );
  return Number(rows[0]?.count);
}

async function dropGeneration(client: pg.PoolClient, generationId: string): Promise<void> {
  await client.query("DELETE FROM generations WHERE generation_id = $1", [generationId]);
  await client.query(`DROP TABLE ${chunksTable(generationId)}`);
}

/** Those of chunks that have changed meanwhile, or of a generation that was given up, are not stored. */
export function storeReembedded(
  database: CorpusDatabase,
  work: TenantWork,
  collection: string,
  batch: Pick<ReembedBatch, "token" | "chunks"> & { readonly vectors: readonly Float32Array[] },
): Promise<void> {
  const { generationId, revisions }: Token = JSON.parse(batch.token);
  return database.write(work, async (client) => {
    const known = await lockCollection(client, work, collection);
    const { rows } = await client.query(
      "SELECT FROM generations WHERE generation_id = $1 AND collection_id = $2 AND generation_id <> $3",
      [generationId, known.collectionId, known.generationId],
    );
    if (rows.length === 0) return;
    await client.query(
      `INSERT INTO chunks
         (generation_id, document_id, ordinal, tenant, revision, heading_path, start_bytes, end_bytes, text, metadata, embedding)
       SELECT $1, c.document_id, c.ordinal, c.tenant, c.revision, c.heading_path, c.start_bytes, c.end_bytes, c.text,
         c.metadata, given.embedding::vector
       FROM unnest($3::text[], $4::integer[], $5::bigint[], $6::text[]) AS given (document_id, ordinal, revision, embedding)
       JOIN chunks c ON c.document_id = given.document_id AND c.ordinal = given.ordinal AND c.revision = given.revision
       WHERE c.generation_id = ${BigInt(known.generationId)} AND c.tenant = $2
       ON CONFLICT (generation_id, document_id, ordinal) DO UPDATE SET
         revision = excluded.revision, heading_path = excluded.heading_path, start_bytes = excluded.start_bytes,
         end_bytes = excluded.end_bytes, text = excluded.text, metadata = excluded.metadata, embedding = excluded.embedding`,
      [
        ...[generationId, work.tenant],
        batch.chunks.map(({ documentId }) => documentId),
        batch.chunks.map(({ ordinal }) => ordinal),
        revisions,
        batch.vectors.map(vectorText),
      ],
    );
  });
}

/** The generation that is not live yet; undefined where there is none of this model. */
export async function pendingGeneration(
  database: CorpusDatabase,
  work: TenantWork,
  collection: string,
  embeddingModel: string,
): Promise<string | undefined> {
  return database.write(work, async (client) => {
    const known = await lockCollection(client, work, collection);
    return find(client, known, embeddingModel);
  });
}

async function find(client: pg.PoolClient, known: CollectionRow, embeddingModel: string): Promise<string | undefined> {
  const { rows } = await client.query<{ generation_id: string }>(
    "SELECT generation_id FROM generations WHERE collection_id = $1 AND generation_id <> $2 AND embedding_model = $3",
    [known.collectionId, known.generationId, embeddingModel],
  );
  return rows[0]?.generation_id;
}

/** Switches over where every chunk has its new vector. */
export function switchGeneration(
  database: CorpusDatabase,
  work: TenantWork,
  collection: string,
  embeddingModel: string,
): Promise<boolean> {
  return database.write({ ...work, asOwner: true }, async (client) => {
    const known = await lockCollection(client, work, collection);
    const generationId = await find(client, known, embeddingModel);
    if (generationId === undefined) return known.embeddingModel === embeddingModel;
    // What is left of documents that were replaced or removed meanwhile.
    await client.query(
      `DELETE FROM chunks n WHERE n.generation_id = ${BigInt(generationId)} AND NOT EXISTS (
         SELECT FROM chunks c WHERE c.generation_id = ${BigInt(known.generationId)} AND ${SAME})`,
    );
    if ((await countNew(client, known, generationId)) !== known.chunkCount) return false;
    await client.query(
      "UPDATE collections SET generation_id = $2, version = version + 1, updated_at = now() WHERE collection_id = $1",
      [known.collectionId, generationId],
    );
    await dropGeneration(client, known.generationId);
    return true;
  });
}
