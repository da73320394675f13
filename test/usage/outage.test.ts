import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type SeenCall, WeekCaller } from "../../bench/week/callers.ts";
import { weekTenants } from "../../bench/week/cast.ts";
import { drained } from "../../bench/week/compare.ts";
import { prepareWeek } from "../../bench/week/service.ts";
import { startWeekUpstream } from "../../bench/week/upstream.ts";
import { connectPostgres } from "../../src/adapters/postgres/connect.ts";
import { silentLog } from "../../src/core/log.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { tier } from "../support/tiers.ts";
import { checkLedger } from "./check-ledger.ts";
import { startLoad } from "./load.ts";
import { type StoppablePostgres, startStoppablePostgres } from "./stoppable-postgres.ts";
import { readStored } from "./stored.ts";

/** How long Postgres is away. */
const OUTAGE_MS = Number(process.env.SLUICE_OUTAGE_SECONDS ?? 20) * 1_000;
/** How long the load goes on before and after. */
const AROUND_MS = 3_000;
const LOAD = { concurrency: 16, pauseMs: 100 };
const SPOOL_MB = 128;
const DAY_MS = 24 * 3_600_000;

/** What goes wrong in these goes well in the end, so that no call has a reason of its own to fail. */
const kinds = new Set(["plain", "retry", "cut", "correction", "silent"] as const);

describe("a Postgres that goes away under load and comes back", function () {
  this.timeout(120_000 + 3 * OUTAGE_MS);

  tier("postgres", () => {
    let postgres: StoppablePostgres;
    let folder: string;
    before(async () => {
      postgres = await startStoppablePostgres();
      folder = await mkdtemp(join(tmpdir(), "sluice-outage-"));
    });
    after(async () => {
      await postgres.remove();
      await rm(folder, { recursive: true, force: true });
    });

    it("costs no call and no row, and the spool is bounded and becomes empty", async () => {
      const upstream = await startWeekUpstream();
      const options = { folder, upstreamUrl: upstream.url, databaseUrl: postgres.url };
      const config = { ...(await prepareWeek(options)), spool: { max_mb: SPOOL_MB } };
      const server = await startServer({ config });
      const spool = join(config.data_dir, "spool");
      try {
        const load = startLoad({ address: server.address, upstream, seed: 9, name: "outage", kinds, ...LOAD });
        await pause(AROUND_MS);
        await postgres.stop();
        const before = load.ended;
        const peakBytes = await peakFor(OUTAGE_MS, spool);
        const during = load.ended - before;
        await postgres.start();
        const backMs = performance.now();
        await pause(AROUND_MS);
        const seen = await load.end();
        checkNoneFailed(seen);
        assert.ok(during > 0, "there were calls meanwhile");
        assert.ok(peakBytes <= SPOOL_MB * 1024 * 1024, `the spool had ${peakBytes} bytes`);
        const total = await totalWhenDrained(server, seen.length);
        const drainedMs = performance.now() - backMs;
        assert.equal(await server.stop(), 0);
        assert.deepEqual(await segmentsIn(spool), [], "the spool is empty");
        const pool = connectPostgres(postgres.url, { log: silentLog });
        const stored = await readStored(pool).finally(() => pool.end());
        const unknown = checkLedger({ seen, log: upstream.log, stored, total });
        assert.deepEqual(unknown, { abandoned: 0, neverSent: 0 });
        assert.equal(stored.calls.length, seen.length);
        console.log(
          `      away for ${OUTAGE_MS / 1_000} s: ${seen.length} calls, ${during} of them meanwhile; spool at most ` +
            `${(peakBytes / 1e6).toFixed(2)} MB; all stored ${(drainedMs / 1_000).toFixed(1)} s after Postgres was back`,
        );
      } finally {
        await server.stop();
        await upstream.close();
      }
    });
  });
});

function checkNoneFailed(seen: readonly SeenCall[]): void {
  const failed = seen.filter(({ errorReason }) => errorReason !== "");
  assert.deepEqual(
    failed.map(({ planned, errorReason }) => `${planned.question.kind}: ${errorReason}`),
    [],
  );
}

/** Looks at the size of the spool for a while. */
async function peakFor(durationMs: number, spool: string): Promise<number> {
  const endAt = performance.now() + durationMs;
  let peak = 0;
  while (performance.now() < endAt) {
    const segments = await segmentsIn(spool);
    const sizes = await Promise.all(segments.map(async (name) => (await stat(join(spool, name))).size));
    peak = Math.max(
      peak,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    await pause(200);
  }
  return peak;
}

async function segmentsIn(spool: string): Promise<string[]> {
  return (await readdir(spool, { recursive: true })).filter((name) => name.endsWith(".log"));
}

async function totalWhenDrained(server: RunningServer, calls: number) {
  const [admin] = weekTenants;
  assert.ok(admin);
  const caller = new WeekCaller(server.address, admin);
  try {
    const dayMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    const { total } = await drained(caller, { fromMs: dayMs - DAY_MS, toMs: dayMs + DAY_MS }, calls);
    return total ?? {};
  } finally {
    caller.close();
  }
}
