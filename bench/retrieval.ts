import { connectPostgres, type PostgresPool } from "../src/adapters/postgres/connect.ts";
import { silentLog } from "../src/core/log.ts";
import { createDatabase, startPostgres } from "../test/support/postgres-server.ts";
import { findPostgres } from "../test/support/programs.ts";
import type { Benchmark } from "./benchmark.ts";
import { measureSearching } from "./retrieval/searching.ts";
import { measureStoring } from "./retrieval/storing.ts";

/** Retrieval: what a search adds to its SQL, what it finds of what is there, and what storing adds to inserting. */
export const retrieval: Benchmark = {
  name: "retrieval",
  async measure(effort) {
    await using stack = new AsyncDisposableStack();
    const url = await serverUrl(stack);
    const newDatabase = async (): Promise<PostgresPool> => {
      const database = await createDatabase(url);
      const pool = connectPostgres(database.url, { log: silentLog, statementTimeoutMs: 600_000 });
      stack.defer(async () => {
        await pool.end();
        await database.drop();
      });
      return pool;
    };
    const sizes = effort === "full" ? [10_000, 100_000] : [2_500];
    const sections = [await measureStoring(effort, await newDatabase())];
    const searched = [];
    for (const size of sizes) searched.push(...(await measureSearching(effort, await newDatabase(), size)));
    return [...sections, ...searched];
  },
};

/** @throws Error where the machine has no Postgres. */
async function serverUrl(stack: AsyncDisposableStack): Promise<string> {
  const { SLUICE_TEST_DATABASE_URL: named } = process.env;
  if (named) return named;
  const installation = findPostgres();
  if (!installation) throw new Error("no Postgres server programs; name a server in SLUICE_TEST_DATABASE_URL");
  const server = await startPostgres(installation.binFolder);
  stack.defer(() => server.stop());
  return server.url;
}
