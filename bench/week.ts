import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createDatabase, startPostgres } from "../test/support/postgres-server.ts";
import { findPostgres } from "../test/support/programs.ts";
import type { Benchmark, Counts, Effort } from "./benchmark.ts";
import { weekTenants } from "./week/cast.ts";
import { runWeek, type Week } from "./week/run-week.ts";

const calls = { full: 100_000, quick: 2_000 } satisfies Record<Effort, number>;
const NANO_USD_OF_A_USD = 1e9;

/**
 * A week of calls through the whole write path, whose sums must be those of a recount from the provider's own log. With
 * `SLUICE_WEEK_KEEP` the embedded database is used, and its folder is kept for whoever wants to look at it.
 */
export const week: Benchmark = {
  name: "week",
  async measure(effort) {
    await using stack = new AsyncDisposableStack();
    const { SLUICE_WEEK_KEEP: keep } = process.env;
    const folder = await folderFor(keep, stack);
    const databaseUrl = keep === undefined ? await serverUrl(stack) : undefined;
    const played = await runWeek({ calls: calls[effort], folder, ...(databaseUrl !== undefined && { databaseUrl }) });
    if (played.differences.length > 0) {
      const first = played.differences.slice(0, 20).join("\n");
      throw new Error(`${played.differences.length} differences between the service and the recount:\n${first}`);
    }
    if (keep !== undefined) console.log(howToLook(folder));
    return [section(played, databaseUrl === undefined ? "the embedded database" : "Postgres")];
  },
};

function howToLook(folder: string): string {
  const [admin] = weekTenants;
  return `kept: sluice serve --listen 127.0.0.1:8080 --config ${join(folder, "sluice.yaml")}; the API key is ${admin?.key}`;
}

async function folderFor(keep: string | undefined, stack: AsyncDisposableStack): Promise<string> {
  if (keep === undefined) {
    const folder = await mkdtemp(join(tmpdir(), "sluice-week-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }
  const folder = resolve(keep);
  // Rows of another week in it would be in the sums.
  const names = await readdir(folder).catch(() => []);
  if (names.length > 0) throw new Error(`SLUICE_WEEK_KEEP: ${folder} must not exist or be empty`);
  return folder;
}

/** A new database of a Postgres; undefined where the machine has none. */
async function serverUrl(stack: AsyncDisposableStack): Promise<string | undefined> {
  const { SLUICE_TEST_DATABASE_URL: named } = process.env;
  const installation = named ? undefined : findPostgres();
  if (!named && !installation) return undefined;
  const server = installation && (await startPostgres(installation.binFolder));
  stack.defer(async () => void (await server?.stop()));
  const database = await createDatabase(named || (server?.url ?? ""));
  stack.defer(() => database.drop());
  return database.url;
}

function section({ total, requests, callsMs, drainMs, seen }: Week, store: string): Counts {
  const usd = (nanoUsd: bigint | undefined) => `$${(Number(nanoUsd ?? 0n) / NANO_USD_OF_A_USD).toFixed(9)}`;
  const hits = (total?.memoryHits ?? 0n) + (total?.sharedHits ?? 0n);
  return {
    kind: "counts",
    title: `a week of ${seen.length} calls into ${store}`,
    remark:
      "Every sum of SummarizeUsage is the recount's, to the nano-USD: in total, by feature, user, model, day, hour, " +
      "prompt, version, tenant, error and cache, and by three combinations.",
    columns: ["", ""],
    rows: [
      ["calls", seen.length],
      ["of them failed", Number(total?.failedCalls)],
      ["cached, joined, repeated", [hits, total?.joinedCalls, total?.replayedCalls].join(", ")],
      ["requests to the provider", requests],
      ["of them of unknown price", Number(total?.unpricedAttempts)],
      ["of them counted by us", Number(total?.estimatedAttempts)],
      ["cost", usd(total?.costNanoUsd)],
      ["saved", usd(total?.savedNanoUsd)],
      ["seconds", callsMs / 1_000],
      ["calls a second", seen.length / (callsMs / 1_000)],
      ["stored after the last call, s", drainMs / 1_000],
    ],
  };
}
