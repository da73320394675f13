import { fileURLToPath } from "node:url";
import type { PostgresPool } from "../../src/adapters/postgres/connect.ts";
import { createCorpusStore } from "../../src/adapters/postgres/corpus-store.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { ChunkQuery, NewDocument } from "../../src/core/corpus.ts";
import { silentLog } from "../../src/core/log.ts";
import { DIMENSION, type Vectors } from "./vectors.ts";

const MIGRATIONS_DIR = fileURLToPath(new URL("../../migrations/retrieval", import.meta.url));

export const never = new AbortController().signal;
export const CHUNKS_OF_A_DOCUMENT = 100;
const settings = { embeddingModel: "bench", dimension: DIMENSION, language: "english" };
const words = ["breakfast", "harbour", "guest", "key", "boat", "window", "fuse", "storm", "deposit", "yard", "porch"];

export type CorpusStore = ReturnType<typeof createCorpusStore>;

export async function openStore(pool: PostgresPool): Promise<CorpusStore> {
  await migrate(pool, MIGRATIONS_DIR, silentLog, "sluice_retrieval_migrations");
  return createCorpusStore({ pool: Promise.resolve(pool), log: silentLog, clock: systemClock });
}

export function documentOf(number: number, vectors: Vectors): NewDocument {
  const chunks = Array.from({ length: CHUNKS_OF_A_DOCUMENT }, (_, at) => ({
    text: `${words[(number + at) % words.length]} ${words[(number * 7 + at) % words.length]} ${number} ${at} `.repeat(
      20,
    ),
    ...{ headingPath: ["Bench"], startOffsetBytes: at * 1000, endOffsetBytes: at * 1000 + 999 },
    vector: vectors.next(),
  }));
  // One document in a hundred is of the kind that a filter looks for.
  const metadata = { kind: number % 100 === 7 ? "rare" : "usual" };
  return { id: `d${number}`, title: "Bench", contentHash: String(number), text: "text", metadata, chunks };
}

/** A collection with so many chunks, without its index. */
export async function fill(store: CorpusStore, tenant: string, chunkCount: number, vectors: Vectors): Promise<void> {
  await store.ensureCollection(tenant, "bench", settings, never);
  for (let number = 0; number < chunkCount / CHUNKS_OF_A_DOCUMENT; number += 1) {
    await store.putDocument(tenant, "bench", documentOf(number, vectors), "bench", never);
  }
}

export function query(tenant: string, vector: Float32Array, more: Partial<ChunkQuery> = {}): ChunkQuery {
  return { tenant, collection: "bench", vector, topK: 10, filter: [], embeddingModel: "bench", ...more };
}

export const RARE = [{ key: "kind", test: "in", values: ["rare"] }] as const;
