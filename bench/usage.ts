import { connectPostgres, type PostgresPool } from "../src/adapters/postgres/connect.ts";
import { silentLog } from "../src/core/log.ts";
import { createDatabase, startPostgres } from "../test/support/postgres-server.ts";
import { findPostgres } from "../test/support/programs.ts";
import type { Benchmark } from "./benchmark.ts";
import { measureQuestions } from "./usage/questions.ts";
import { measureStoring } from "./usage/storing.ts";

/** An empty database of a real Postgres; the connection is for whoever asks. */
export type NewDatabase = () => Promise<PostgresPool>;

/** Usage: what questions cost as the ledger grows, and what keeping the sums adds to storing a batch. */
export const usage: Benchmark = {
  name: "usage",
  async measure(effort) {
    await using stack = new AsyncDisposableStack();
    const url = await serverUrl(stack);
    const newDatabase: NewDatabase = async () => {
      const database = await createDatabase(url);
      const pool = connectPostgres(database.url, { log: silentLog, statementTimeoutMs: 600_000 });
      stack.defer(async () => {
        await pool.end();
        await database.drop();
      });
      return pool;
    };
    return [await measureStoring(effort, newDatabase), ...(await measureQuestions(effort, newDatabase))];
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
