import type { PostgresPool } from "../../src/adapters/postgres/connect.ts";
import { vectorText } from "../../src/adapters/postgres/corpus/vectors.ts";
import type { Effort, Ratios } from "../benchmark.ts";
import { interleave } from "../interleave.ts";
import { CHUNKS_OF_A_DOCUMENT, documentOf, fill, never, openStore } from "./corpus.ts";
import { Vectors } from "./vectors.ts";

const FLOOR = "bare inserts";
const ROWS_AT_ONCE = 64;

/** What putting a document adds to inserting its chunks. */
export async function measureStoring(effort: Effort, pool: PostgresPool): Promise<Ratios> {
  const [documents, rounds] = effort === "full" ? [10, 5] : [1, 1];
  const store = await openStore(pool);
  const vectors = new Vectors(3);
  await fill(store, "acme", CHUNKS_OF_A_DOCUMENT, vectors);
  await pool.query("CREATE TABLE bare (LIKE chunks INCLUDING ALL)");
  let number = 0;
  const perSecond = async (put: (number: number) => Promise<unknown>) => {
    const startMs = performance.now();
    for (let times = 0; times < documents; times += 1) {
      number += 1;
      await put(number);
    }
    return { "chunks/s": (documents * CHUNKS_OF_A_DOCUMENT) / ((performance.now() - startMs) / 1000) };
  };
  const results = await interleave(
    [
      { name: FLOOR, measure: () => perSecond((at) => insertBare(pool, at, vectors)) },
      {
        name: "putDocument",
        measure: () => perSecond((at) => store.putDocument("acme", "bench", documentOf(at, vectors), "bench", never)),
      },
    ],
    rounds,
  );
  await store.close();
  return {
    kind: "ratios",
    title: `storing documents of ${CHUNKS_OF_A_DOCUMENT} chunks`,
    floor: FLOOR,
    ratiosOf: ["chunks/s"],
    moreIsBetter: ["chunks/s"],
    remarks: ["The floor inserts the same rows into an equal table, without documents, words or versions."],
    results,
  };
}

async function insertBare(pool: PostgresPool, number: number, vectors: Vectors): Promise<void> {
  const { id, chunks } = documentOf(number, vectors);
  for (let from = 0; from < chunks.length; from += ROWS_AT_ONCE) {
    const rows = chunks.slice(from, from + ROWS_AT_ONCE);
    await pool.query(
      `INSERT INTO bare
         (generation_id, document_id, ordinal, tenant, revision, heading_path, start_bytes, end_bytes, text, metadata, embedding)
       SELECT 1, $1, given.ordinal, 'acme', 1, '{}', 0, 1, given.text, '{}', given.embedding::vector
       FROM unnest($2::integer[], $3::text[], $4::text[]) AS given (ordinal, text, embedding)`,
      [
        ...[id, rows.map((_, at) => from + at), rows.map(({ text }) => text)],
        rows.map(({ vector }) => vectorText(vector)),
      ],
    );
  }
}
