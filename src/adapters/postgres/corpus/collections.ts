import pg from "pg";
import type { CollectionSettings, StoredCollection } from "../../../core/corpus.ts";
import { invalidRequest, SluiceError } from "../../../core/failure.ts";
import { nearestNames } from "../../../core/nearest-names.ts";
import type { CorpusDatabase, TenantWork } from "./database.ts";
import { chunksTable, wordsTable } from "./vectors.ts";

const MAX_COLLECTIONS = 1000;
/** Of those that are looked through for names that are alike. */
const MAX_NAMES = 1000;

/** A collection with what only the store knows of it. Ids are text: they may be beyond what a double counts. */
export interface CollectionRow extends StoredCollection {
  readonly collectionId: string;
  readonly generationId: string;
}

const COLUMNS = `
  c.collection_id, c.generation_id, c.tenant, c.name, c.language, c.version, c.document_count, c.chunk_count,
  (extract(epoch FROM c.created_at) * 1000)::bigint AS created_ms,
  (extract(epoch FROM c.updated_at) * 1000)::bigint AS updated_ms,
  g.embedding_model, g.dimension, g.is_indexed,
  (SELECT n.embedding_model FROM generations n
   WHERE n.collection_id = c.collection_id AND n.generation_id <> c.generation_id
   ORDER BY n.generation_id DESC LIMIT 1) AS reembedding_model`;

const FROM = "FROM collections c JOIN generations g ON g.generation_id = c.generation_id";

/** The statement that finds a collection, with its values in it. */
export function selectCollection(tenant: string, name: string): string {
  return `SELECT ${COLUMNS} ${FROM} WHERE c.tenant = ${pg.escapeLiteral(tenant)} AND c.name = ${pg.escapeLiteral(name)}`;
}

export function readCollection(row: pg.QueryResultRow): CollectionRow {
  return {
    collectionId: String(row.collection_id),
    generationId: String(row.generation_id),
    tenant: row.tenant,
    name: row.name,
    language: row.language,
    embeddingModel: row.embedding_model,
    dimension: row.dimension,
    corpusVersion: `${row.collection_id}.${row.version}`,
    documentCount: Number(row.document_count),
    chunkCount: Number(row.chunk_count),
    isIndexed: row.is_indexed,
    createdAtMs: Number(row.created_ms),
    updatedAtMs: Number(row.updated_ms),
    ...(row.reembedding_model !== null && { reembeddingModel: row.reembedding_model }),
  };
}

export function findCollection(
  database: CorpusDatabase,
  work: TenantWork,
  name: string,
): Promise<CollectionRow | undefined> {
  const sql = selectCollection(work.tenant, name);
  return database.read(work, { sql }, async (_, [row]) => row && readCollection(row));
}

export function listCollections(database: CorpusDatabase, work: TenantWork): Promise<readonly CollectionRow[]> {
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE c.tenant = ${pg.escapeLiteral(work.tenant)} ORDER BY c.name`;
  return database.read(work, { sql }, async (_, rows) => rows.map(readCollection));
}

/** The rows of a first look as the collection. @throws SluiceError UNKNOWN_COLLECTION with the nearest names. */
export async function mustExist(
  client: pg.PoolClient,
  { tenant }: TenantWork,
  name: string,
  [row]: readonly pg.QueryResultRow[],
): Promise<CollectionRow> {
  if (row) return readCollection(row);
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM collections WHERE tenant = $1 ORDER BY name LIMIT $2",
    [tenant, MAX_NAMES],
  );
  const nearest = nearestNames(
    name,
    rows.map((known) => known.name),
  );
  throw new SluiceError({ reason: "UNKNOWN_COLLECTION", name, nearest });
}

/** The collection, held against other writers until the transaction ends. @throws SluiceError UNKNOWN_COLLECTION. */
export async function lockCollection(client: pg.PoolClient, work: TenantWork, name: string): Promise<CollectionRow> {
  const { rows } = await client.query(`${selectCollection(work.tenant, name)} FOR UPDATE OF c`);
  return mustExist(client, work, name, rows);
}

/** Made with these settings, its tables with it, where there is none. */
export function ensureCollection(
  database: CorpusDatabase,
  work: TenantWork,
  name: string,
  { embeddingModel, dimension, language }: CollectionSettings,
): Promise<CollectionRow> {
  const { tenant } = work;
  return database.write({ ...work, asOwner: true }, async (client) => {
    const known = await client.query(selectCollection(tenant, name));
    if (known.rows[0]) return readCollection(known.rows[0]);
    const { rows: counted } = await client.query<{ count: string }>(
      "SELECT count(*) FROM collections WHERE tenant = $1",
      [tenant],
    );
    if (Number(counted[0]?.count) >= MAX_COLLECTIONS) {
      throw invalidRequest("collection", "collections.max", `a tenant has at most ${MAX_COLLECTIONS} collections`);
    }
    const { rows: made } = await client.query<{ collection_id: string }>(
      `INSERT INTO collections (tenant, name, language, generation_id) VALUES ($1, $2, $3, 0)
       ON CONFLICT (tenant, name) DO NOTHING RETURNING collection_id`,
      [tenant, name, language],
    );
    const collectionId = made[0]?.collection_id;
    if (collectionId !== undefined) {
      await addTable(client, "chunk_words", wordsTable(collectionId), collectionId);
      const generationId = await addGeneration(client, collectionId, { embeddingModel, dimension });
      await client.query("UPDATE collections SET generation_id = $2 WHERE collection_id = $1", [
        collectionId,
        generationId,
      ]);
    }
    const { rows } = await client.query(selectCollection(tenant, name));
    if (!rows[0]) throw new Error("a collection that was made is not there");
    return readCollection(rows[0]);
  });
}

/** A set of vectors with a table of its own. As the owner of the tables. */
export async function addGeneration(
  client: pg.PoolClient,
  collectionId: string,
  { embeddingModel, dimension }: { readonly embeddingModel: string; readonly dimension: number },
): Promise<string> {
  const { rows } = await client.query<{ generation_id: string }>(
    "INSERT INTO generations (collection_id, embedding_model, dimension) VALUES ($1, $2, $3) RETURNING generation_id",
    [collectionId, embeddingModel, dimension],
  );
  const generationId = rows[0]?.generation_id;
  if (generationId === undefined) throw new Error("a generation that was made has no id");
  await addTable(client, "chunks", chunksTable(generationId), generationId);
  return generationId;
}

/** Attaching an empty table holds nobody up; making it as a partition at once would. */
async function addTable(client: pg.PoolClient, parent: string, name: string, value: string): Promise<void> {
  await client.query(`CREATE TABLE ${name} (LIKE ${parent} INCLUDING ALL)`);
  await client.query(`ALTER TABLE ${parent} ATTACH PARTITION ${name} FOR VALUES IN (${BigInt(value)})`);
}

export function deleteCollection(database: CorpusDatabase, work: TenantWork, name: string) {
  return database.write({ ...work, asOwner: true }, async (client) => {
    const { collectionId, documentCount, chunkCount } = await lockCollection(client, work, name);
    const { rows } = await client.query<{ generation_id: string }>(
      "DELETE FROM generations WHERE collection_id = $1 RETURNING generation_id",
      [collectionId],
    );
    for (const { generation_id: id } of rows) await client.query(`DROP TABLE ${chunksTable(id)}`);
    await client.query(`DROP TABLE ${wordsTable(collectionId)}`);
    await client.query("DELETE FROM collections WHERE collection_id = $1", [collectionId]);
    return { documentCount, chunkCount };
  });
}
