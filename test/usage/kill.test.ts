import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { NO_ANSWER, type SeenCall, WeekCaller } from "../../bench/week/callers.ts";
import { weekTenants } from "../../bench/week/cast.ts";
import { drained } from "../../bench/week/compare.ts";
import type { Sums } from "../../bench/week/recount.ts";
import { prepareWeek } from "../../bench/week/service.ts";
import { startWeekUpstream, type WeekUpstream } from "../../bench/week/upstream.ts";
import { openPglite } from "../../src/adapters/pglite/open.ts";
import { connectPostgres } from "../../src/adapters/postgres/connect.ts";
import { silentLog } from "../../src/core/log.ts";
import { seeded } from "../pipeline/parse/random.ts";
import type { TestDatabase } from "../support/postgres-server.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { tier } from "../support/tiers.ts";
import { checkLedger } from "./check-ledger.ts";
import { startLoad } from "./load.ts";
import { readStored } from "./stored.ts";

/** How often the service is killed. */
const RUNS = Number(process.env.SLUICE_KILL_RUNS ?? 3);
const SEED = Number(process.env.SLUICE_KILL_SEED ?? 70);
const CONCURRENCY = 32;
/** The most calls that have ended when the service is killed. */
const MOST_CALLS = 600;
/** The most that every other service goes on for after that; the rest is killed at the moment of an answer. */
const MOST_MS = 30;
const DAY_MS = 24 * 3_600_000;

const kinds = new Set(["plain", "retry", "cut", "down", "correction", "silent", "filtered"] as const);

/** Where the service stores, and how the test reads it when the service has ended. */
interface Store {
  readonly databaseUrl?: string;
  open(folder: string): Promise<{ readonly pool: pg.Pool; close(): Promise<void> }>;
}

/** Kills the service again and again under load, then lets it store what is left. */
async function killAgainAndAgain(store: Store): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-kill-"));
  const upstream = await startWeekUpstream();
  try {
    const config = await prepareWeek({ folder, upstreamUrl: upstream.url, databaseUrl: store.databaseUrl });
    const random = seeded(SEED);
    const seen: SeenCall[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const server = await startServer({ config });
      // Soon after the start it is still storing what the one before left.
      seen.push(...(await loadAndKill(server, upstream, { run, random })));
    }
    const total = await drainAndStop(await startServer({ config }), config.data_dir);
    const { pool, close } = await store.open(folder);
    const stored = await readStored(pool).finally(close);
    const { abandoned, neverSent } = checkLedger({ seen, log: upstream.log, stored, total });
    const answered = seen.filter(({ errorReason }) => errorReason !== NO_ANSWER).length;
    console.log(
      `      ${RUNS} kills: ${answered} calls answered, ${seen.length - answered} lost with their process; ` +
        `${upstream.log.length} requests, ${abandoned} charged as estimated, ${neverSent} more never sent`,
    );
    assert.ok(answered > 0, "some calls were answered");
    assert.ok(abandoned > 0, "some kills were in the middle of a request");
    assert.ok(abandoned + neverSent <= RUNS * CONCURRENCY, "no more than were under way");
  } finally {
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function loadAndKill(
  server: RunningServer,
  upstream: WeekUpstream,
  { run, random }: { readonly run: number; readonly random: () => number },
): Promise<readonly SeenCall[]> {
  const options = { address: server.address, upstream, seed: SEED + run, name: `run-${run}`, kinds };
  const load = startLoad({ ...options, concurrency: CONCURRENCY, pauseMs: 5 });
  await load.reached(1 + random() ** 2 * MOST_CALLS);
  if (run % 2 === 0) await pause(random() * MOST_MS);
  const killed = server.stop("SIGKILL");
  const seen = await load.end();
  assert.equal(await killed, "SIGKILL");
  return seen;
}

/** Waits until the spools of the dead are stored. */
async function drainAndStop(server: RunningServer, dataDir: string): Promise<Partial<Sums>> {
  const [admin] = weekTenants;
  assert.ok(admin);
  const caller = new WeekCaller(server.address, admin);
  try {
    const isAdopted = async () => (await readdir(join(dataDir, "spool"))).filter((name) => /^\d+-\d+-\w+$/.test(name));
    for (let tries = 0; tries < 600 && (await isAdopted()).length > 1; tries += 1) await pause(100);
    assert.deepEqual((await isAdopted()).slice(1), [], "the spools of the dead are stored and gone");
    const dayMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    const { total } = await drained(caller, { fromMs: dayMs - DAY_MS, toMs: dayMs + DAY_MS }, 0);
    return total ?? {};
  } finally {
    caller.close();
    assert.equal(await server.stop(), 0);
  }
}

describe("a service that is killed again and again under load", function () {
  this.timeout(60_000 + RUNS * 20_000);

  it("charges everything once, in the embedded database", () =>
    killAgainAndAgain({ open: (folder) => openPglite({ dir: join(folder, "data", "pglite"), log: silentLog }) }));

  tier("postgres", (postgres) => {
    let database: TestDatabase;
    before(async () => {
      database = await postgres.createDatabase();
    });
    after(() => database.drop());

    it("charges everything once, in Postgres", () =>
      killAgainAndAgain({
        databaseUrl: database.url,
        open: async () => {
          const pool = connectPostgres(database.url, { log: silentLog });
          return { pool, close: () => pool.end() };
        },
      }));
  });
});
