import type { PoolClient } from "pg";
import type { PostgresPool } from "../../src/adapters/postgres/connect.ts";
import { vectorText } from "../../src/adapters/postgres/corpus/vectors.ts";
import type { ChunkQuery } from "../../src/core/corpus.ts";
import type { Counts, Effort, Ratios } from "../benchmark.ts";
import { interleave, type Subject } from "../interleave.ts";
import { type CorpusStore, fill, never, openStore, query, RARE } from "./corpus.ts";
import { DIMENSION, Vectors } from "./vectors.ts";

const FLOOR = "bare SQL";
const TENANTS = 100;

/** What a search adds to the statement that it is made of, and how much of what is there it finds. */
export async function measureSearching(effort: Effort, pool: PostgresPool, chunkCount: number) {
  const store = await openStore(pool);
  const vectors = new Vectors(chunkCount);
  const loadMs = await timed(() => fill(store, "acme", chunkCount, vectors));
  const buildMs = await timed(() => store.buildIndexes());
  const ratios = await searching(effort, pool, store, { chunkCount, vectors, loadMs, buildMs });
  const counts = await recall(effort, pool, store, { chunkCount, vectors });
  await store.close();
  return [ratios, counts];
}

async function searching(
  effort: Effort,
  pool: PostgresPool,
  store: CorpusStore,
  { chunkCount, vectors, loadMs, buildMs }: { chunkCount: number; vectors: Vectors; loadMs: number; buildMs: number },
): Promise<Ratios> {
  const [queries, rounds] = effort === "full" ? [200, 5] : [5, 1];
  const subject = (name: string, ask: (vector: Float32Array) => Promise<unknown>): Subject => ({
    name,
    measure: () => latencies(queries, () => ask(vectors.next())),
  });
  await using bare = await bareConnection(pool);
  const search = (more: Partial<ChunkQuery>) => (vector: Float32Array) =>
    store.search(query("acme", vector, more), never);
  const subjects = [
    subject(FLOOR, (vector) => bare.query(BARE, [vectorText(vector)])),
    subject("search", search({})),
    subject("search, a filter keeps 1 %", search({ filter: RARE })),
    subject("hybrid search", search({ words: "storm in the harbour" })),
  ];
  return {
    kind: "ratios",
    title: `searching ${chunkCount} chunks, one question at a time`,
    floor: FLOOR,
    ratiosOf: ["p50 ms", "p99 ms"],
    targets: [{ subject: "search", metric: "p50 ms", atMost: 1.3 }],
    settings: { dimension: DIMENSION, top_k: 10, load_ms: Math.round(loadMs), build_ms: Math.round(buildMs) },
    remarks: [
      "The floor is the same ordering over the same index on one connection, without a transaction or a tenant.",
    ],
    results: await interleave(subjects, rounds),
  };
}

/** A connection that is set once to what a search sets for each of its transactions. */
async function bareConnection(pool: PostgresPool): Promise<PoolClient & AsyncDisposable> {
  const client = await pool.connect();
  await client.query("SET hnsw.ef_search = 120; SET hnsw.iterative_scan = strict_order; SET enable_sort = off");
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.release(true) });
}

/** The table of the first generation. */
const BARE = `SELECT document_id, ordinal, heading_path, start_bytes, end_bytes, text, metadata,
    1 - (embedding::vector(${DIMENSION}) <=> $1::vector(${DIMENSION})) AS similarity
  FROM chunks_g1 ORDER BY embedding::vector(${DIMENSION}) <=> $1::vector(${DIMENSION}) LIMIT 10`;

async function recall(
  effort: Effort,
  pool: PostgresPool,
  store: CorpusStore,
  { chunkCount, vectors }: { chunkCount: number; vectors: Vectors },
): Promise<Counts> {
  const queries = effort === "full" ? 100 : 3;
  const tenants = effort === "full" ? TENANTS : 2;
  const ofTenant = Math.max(100, chunkCount / tenants);
  for (let number = 0; number < tenants; number += 1) await fill(store, `tenant-${number}`, ofTenant, vectors);
  await store.buildIndexes();
  const rows: (string | number)[][] = [
    ["one collection", chunkCount, await found(pool, store, queries, () => query("acme", vectors.next()))],
    [
      "one collection, a filter keeps 1 %",
      chunkCount,
      await found(pool, store, queries, () => query("acme", vectors.next(), { filter: RARE })),
    ],
    [
      `each of ${tenants} tenants beside it`,
      ofTenant,
      await found(pool, store, queries, (at) => query(`tenant-${at % tenants}`, vectors.next())),
    ],
  ];
  return {
    kind: "counts",
    title: `recall@10 of ${chunkCount} chunks against a comparison with every vector`,
    remark: "Collections of fewer than 2,000 chunks have no index, and find everything.",
    columns: ["where", "chunks", "recall@10"],
    rows,
  };
}

async function found(
  pool: PostgresPool,
  store: CorpusStore,
  queries: number,
  next: (at: number) => ChunkQuery,
): Promise<number> {
  let hits = 0;
  let wanted = 0;
  for (let at = 0; at < queries; at += 1) {
    const asked = next(at);
    const exact = await nearest(pool, asked);
    const { chunks } = await store.search(asked, never);
    const ids = new Set(chunks.map(({ documentId, ordinal }) => `${documentId}#${ordinal}`));
    hits += exact.filter((id) => ids.has(id)).length;
    wanted += exact.length;
  }
  return Math.round((hits / wanted) * 1000) / 1000;
}

/** Without any index, as a superuser, whom no policy holds. */
async function nearest(pool: PostgresPool, asked: ChunkQuery): Promise<string[]> {
  const filter = asked.filter.length > 0 ? "AND metadata ->> 'kind' = 'rare'" : "";
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM (
       SELECT document_id || '#' || ordinal AS id, embedding <=> $2::vector AS distance FROM chunks
       WHERE tenant = $1 ${filter} OFFSET 0) every_one
     ORDER BY distance LIMIT 10`,
    [asked.tenant, vectorText(asked.vector)],
  );
  return rows.map(({ id }) => id);
}

async function latencies(count: number, ask: () => Promise<unknown>): Promise<Record<string, number>> {
  const times: number[] = [];
  for (let at = 0; at < count; at += 1) times.push(await timed(ask));
  times.sort((a, b) => a - b);
  return {
    "p50 ms": times[Math.floor(count / 2)] ?? Number.NaN,
    "p99 ms": times[Math.floor(count * 0.99)] ?? Number.NaN,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
