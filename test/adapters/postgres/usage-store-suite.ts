import assert from "node:assert/strict";
import type pg from "pg";
import { createLedgerStore } from "../../../src/adapters/postgres/ledger-store.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { createUsageStore } from "../../../src/adapters/postgres/usage-store.ts";
import type { LedgerStore } from "../../../src/adapters/spool/ledger-store.ts";
import type { SpooledRecord } from "../../../src/adapters/spool/record.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import { silentLog } from "../../../src/core/log.ts";
import type {
  CallQuery,
  UsageDimension,
  UsageFilter,
  UsageQuery,
  UsageStore,
  UsageSums,
} from "../../../src/core/usage.ts";
import { pick, seeded } from "../../pipeline/parse/random.ts";
import { attemptStarted, endOf } from "../spool/records.ts";
import { migrationsDir } from "./ledger-store-suite.ts";
import { type Counted, countedRows, HOUR_MS, idAt, type MadeCall, makeCalls, START_MS } from "./usage-recount.ts";

const everything: UsageFilter = {
  features: [],
  users: [],
  models: [],
  promptNames: [],
  promptVersions: [],
  errorReasons: [],
  cacheStatuses: [],
};
const range = { fromMs: START_MS, toMs: START_MS + 72 * HOUR_MS };
const question: UsageQuery = { ...range, filter: everything, groupBy: [], order: "cost", limit: 1000, tenant: "acme" };
const list: CallQuery = { ...range, filter: everything, onlyFailed: false, order: "newest", limit: 20, tenant: "acme" };

/** What every database must answer. Called inside a suite; the pool is asked for in each test. */
export function testUsageStore(pool: () => pg.Pool): void {
  let ledger: LedgerStore;
  let usage: UsageStore;

  before(async () => {
    await migrate(pool(), migrationsDir, silentLog);
    ledger = createLedgerStore(pool());
    usage = createUsageStore(Promise.resolve(pool()));
    await Promise.resolve();
  });
  beforeEach(() => pool().query("TRUNCATE calls, attempts, usage_hours, usage_user_hours"));

  const store = async (calls: readonly MadeCall[]) => {
    for (let at = 0; at < calls.length; at += 100) {
      await ledger.write(calls.slice(at, at + 100).flatMap(({ records }) => records));
    }
  };

  const groupings: readonly (readonly UsageDimension[])[] = [
    [],
    ["feature"],
    ["user"],
    ["model", "day"],
    ["prompt", "prompt_version", "hour"],
    ["feature", "user", "model"],
    ["error_reason"],
    ["cache_status", "user"],
    ["error_reason", "cache_status", "hour"],
  ];

  for (const seed of [1, 2, 3]) {
    it(`adds up to what a recount says, however the records are split, repeated and mixed (seed ${seed})`, async () => {
      const calls = makeCalls(400, seed);
      const random = seeded(seed);
      await ledger.write(calls[0]?.records ?? []);
      for (const batch of anyBatches(
        calls.flatMap(({ records }) => records),
        random,
      ))
        await ledger.write(batch);
      for (const groupBy of groupings) await compare(usage, { ...question, groupBy }, countedRows(calls));
    });
  }

  it("adds up what a filter leaves, on sums of hours and on single calls", async () => {
    const calls = makeCalls(400, 7, ["acme", "globex"]);
    await store(calls);
    const rows = countedRows(calls);
    const filters: Partial<UsageFilter>[] = [
      { features: ["support", "söarch"] },
      { users: ["u-1", "u-2"], models: ["fast"] },
      { promptNames: [""], synthetic: true },
      { promptVersions: ["v2"], synthetic: false },
      { errorReasons: ["MODEL_TIMEOUT", "OUTCOME_UNKNOWN"] },
      { cacheStatuses: ["memory_hit", ""], users: ["u-3"] },
    ];
    for (const filter of filters) {
      for (const groupBy of [["feature"], ["user", "day"], ["tenant", "hour"]] as const) {
        await compare(usage, { ...question, groupBy, filter: { ...everything, ...filter } }, rows);
        const { tenant: _, ...allTenants } = question;
        await compare(usage, { ...allTenants, groupBy, filter: { ...everything, ...filter } }, rows);
      }
    }
    const part = { fromMs: START_MS + 5 * HOUR_MS, toMs: START_MS + 30 * HOUR_MS };
    await compare(usage, { ...question, ...part, groupBy: ["hour"] }, rows);
    await compare(usage, { ...question, ...part, groupBy: ["error_reason"] }, rows);
  });

  it("gives the first rows, and everything else in one", async () => {
    const calls = makeCalls(300, 9);
    await store(calls);
    const all = await usage.summarize({ ...question, groupBy: ["feature", "user"], order: "calls" });
    const some = await usage.summarize({ ...question, groupBy: ["feature", "user"], order: "calls", limit: 5 });
    assert.deepEqual(some.rows, all.rows.slice(0, 5));
    assert.equal(some.rest?.groups, BigInt(all.rows.length - 5));
    const left = all.rows.slice(5).reduce((sum, { sums }) => sum + sums.costNanoUsd, 0n);
    assert.equal(some.rest?.sums.costNanoUsd, left);
    assert.deepEqual(some.total, all.total);
    const inTime = await usage.summarize({ ...question, groupBy: ["feature", "hour"], order: "time" });
    const hours = inTime.rows.map(({ key }) => Number(key.hour));
    assert.deepEqual(
      hours,
      hours.toSorted((a, b) => a - b),
    );
  });

  it("names the models whose price is unknown", async () => {
    const start = attemptStarted({ call_id: idAt(START_MS, Math.random), model: "exotic" });
    await ledger.write([start, { ...endOf(start, { cost_nano_usd: null }), tenant: "acme" }]);
    const { total, unpricedModels } = await usage.summarize(question);
    assert.deepEqual([total.unpricedAttempts, total.costNanoUsd], [1n, 0n]);
    assert.deepEqual(unpricedModels, [{ model: "exotic", attempts: 1n }]);
  });

  it("answers zeros where there is nothing", async () => {
    const { rows, rest, total } = await usage.summarize({ ...question, groupBy: ["feature"] });
    assert.deepEqual([rows, rest, total.calls, total.costNanoUsd, total.latency], [[], undefined, 0n, 0n, undefined]);
    assert.equal((await usage.summarize({ ...question, tenant: "nobody" })).total.attempts, 0n);
  });

  it("takes records of an older program, which lack what attempts are grouped by", async () => {
    const { method, prompt_name, prompt_version, synthetic, ...old } = attemptStarted({
      call_id: idAt(START_MS, Math.random),
    });
    assert.ok(method && prompt_name && prompt_version && !synthetic);
    await ledger.write([old as SpooledRecord, { ...endOf(attemptStarted(old)), tenant: "acme" }]);
    const { rows } = await usage.summarize({ ...question, groupBy: ["prompt", "feature"] });
    assert.deepEqual(
      rows.map(({ key, sums }) => [key, sums.costNanoUsd]),
      [[{ prompt: "", feature: "summaries" }, 412_345n]],
    );
  });

  it("loses nothing where several writers add to the same sums at once, with some records in common", async () => {
    const calls = makeCalls(600, 11);
    const records = calls.flatMap(({ records }) => records);
    const writers = [1, 2, 3, 4].map(async (seed) => {
      for (const batch of anyBatches(records, seeded(seed))) await ledger.write(batch);
    });
    await Promise.all(writers);
    for (const groupBy of groupings) await compare(usage, { ...question, groupBy }, countedRows(calls));
  });

  for (const order of ["newest", "dearest", "slowest"] as const) {
    it(`lists calls ${order} first, in pages that neither repeat nor miss one while others are stored`, async () => {
      const calls = makeCalls(150, 13, ["acme", "globex"]);
      await store(calls);
      const later = makeCalls(100, 14);
      for (const tenant of ["acme", undefined]) {
        const seen: string[] = [];
        let query: CallQuery = { ...list, order, ...(tenant ? {} : { tenant: undefined }) } as CallQuery;
        for (let page = 0; ; page += 1) {
          const found = await usage.listCalls(query);
          seen.push(...found.map(({ callId }) => callId));
          const last = found.at(-1);
          if (!last || found.length < query.limit) break;
          const value = { newest: 0n, dearest: last.costNanoUsd ?? -1n, slowest: last.latencyMs }[order];
          query = { ...query, after: { tenant: last.tenant, callId: last.callId, calledAtMs: last.calledAtMs, value } };
          await store(later.slice(page * 5, page * 5 + 5));
        }
        assert.equal(new Set(seen).size, seen.length);
        const before = calls.flatMap(({ call }) => (call && (!tenant || call.tenant === tenant) ? [call.call_id] : []));
        assert.deepEqual(
          before.filter((id) => !seen.includes(id)),
          [],
        );
      }
    });
  }

  it("stores through a pooler that hands sessions around, where a statement is not prepared twice", async () => {
    const calls = makeCalls(60, 23);
    const [first, ...rest] = calls;
    await ledger.write(first?.records ?? []);
    // What another client of the same session may have done.
    const idle = Promise.all(Array.from({ length: pool().options.max }, () => pool().connect()));
    for (const client of await idle) {
      await client.query("DEALLOCATE ALL");
      client.release();
    }
    await store(rest);
    await compare(usage, { ...question, groupBy: ["feature"] }, countedRows(calls));
  });

  it("lists only the calls that are asked for", async () => {
    const calls = makeCalls(200, 17, ["acme", "globex"]);
    await store(calls);
    const ours = calls.flatMap(({ call }) => (call?.tenant === "acme" ? [call] : []));
    const ids = async (query: Partial<CallQuery>) =>
      (await usage.listCalls({ ...list, limit: 500, ...query })).map(({ callId }) => callId).sort();
    const expected = (keep: (call: (typeof ours)[number]) => boolean) =>
      ours
        .filter(keep)
        .map((call) => call.call_id)
        .sort();
    assert.deepEqual(
      await ids({}),
      expected(() => true),
    );
    assert.deepEqual(
      await ids({ onlyFailed: true }),
      expected((call) => call.error_reason !== ""),
    );
    assert.deepEqual(
      await ids({ minLatencyMs: 1000n }),
      expected((call) => call.latency_ms >= 1000),
    );
    assert.deepEqual(
      await ids({ minCostNanoUsd: 1n }),
      expected((call) => Number(call.cost_nano_usd) >= 1),
    );
    assert.deepEqual(
      await ids({ filter: { ...everything, users: ["u-1"], cacheStatuses: ["miss"] } }),
      expected((call) => call.user === "u-1" && call.cache_status === "miss"),
    );
  });

  it("shows a call with its attempts, also where only attempts are left, and never another tenant's", async () => {
    const start = attemptStarted({ call_id: idAt(START_MS, Math.random) });
    await ledger.write([start, { ...endOf(start, { error_reason: "OUTCOME_UNKNOWN" }), tenant: "acme" }]);
    const found = await usage.getCall("acme", start.call_id);
    assert.equal(found?.call, undefined);
    const [attempt] = found?.attempts ?? [];
    assert.equal(attempt?.start?.promptName, "summarize");
    assert.equal(attempt?.end?.costNanoUsd, 412_345n);
    assert.equal(await usage.getCall("globex", start.call_id), undefined);
  });

  it("waits for a database that is opening", async () => {
    const { promise, resolve } = Promise.withResolvers<pg.Pool>();
    const asked = createUsageStore(promise).summarize(question);
    resolve(pool());
    assert.ok(await asked);
  });

  it("refuses questions where the database takes too long to open, and more at once than it may", async () => {
    const opening = createUsageStore(new Promise(() => {}), { openingMs: 20 });
    await assert.rejects(opening.summarize(question), isFailure("STORE_UNAVAILABLE"));
    const failed = createUsageStore(Promise.reject(new Error("no")));
    await assert.rejects(failed.getCall("acme", "x"), isFailure("STORE_UNAVAILABLE"));
    const narrow = createUsageStore(Promise.resolve(pool()), { maxConcurrency: 1, waitMs: 0 });
    await Promise.resolve();
    const first = narrow.summarize(question);
    await assert.rejects(narrow.summarize(question), isFailure("OVERLOADED"));
    await first;
    await narrow.summarize(question);
  });

  it("keeps half of its room for other tenants, and lets some questions wait", async () => {
    const connections = pool();
    const asked = createUsageStore(Promise.resolve(connections), { waitMs: 10_000 });
    await asked.summarize(question);
    const held = await Promise.all(Array.from({ length: connections.options.max }, () => connections.connect()));
    const byAcme = Array.from({ length: 10 }, () => asked.summarize(question));
    await assert.rejects(asked.summarize(question), isFailure("OVERLOADED"));
    assert.equal(connections.waitingCount, 2);
    const others = ["globex", "globex", "initech"].map((tenant) => asked.listCalls({ ...list, tenant }));
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(connections.waitingCount, 4);
    for (const client of held) client.release();
    await Promise.all([...byAcme, ...others]);
    await Promise.all([asked.summarize(question), asked.summarize(question)]);
  });
}

function isFailure(reason: string) {
  return (error: unknown) => error instanceof SluiceError && error.failure.reason === reason;
}

/** Every record at least once, in batches of any size, some batches again, some records far from their place. */
function* anyBatches(inOrder: readonly SpooledRecord[], random: () => number): Generator<SpooledRecord[]> {
  const records = [...inOrder];
  for (let swaps = 0; swaps < records.length / 4; swaps += 1) {
    const [from, to] = [random(), random()].map((lot) => Math.floor(lot * records.length));
    const [one, other] = [records[from ?? 0], records[to ?? 0]];
    if (one && other) records.splice(from ?? 0, 1, other);
    if (one && other) records.splice(to ?? 0, 1, one);
  }
  for (let at = 0; at < records.length; ) {
    const batch = records.slice(at, at + pick(random, [1, 2, 7, 40, 133]));
    at += batch.length;
    const mixed = random() < 0.5 ? batch.toReversed() : batch;
    yield mixed;
    if (random() < 0.3) yield [...mixed, ...records.slice(Math.max(0, at - 60), at)];
  }
}

const asGroup = (key: object) => JSON.stringify(Object.entries(key).sort());

/** Compares a summary with a recount, row by row, and its percentiles with those of the sorted latencies. */
async function compare(usage: UsageStore, query: UsageQuery, all: readonly Counted[]): Promise<void> {
  const { groupBy, filter } = query;
  const keeps = (values: readonly string[], value: string | number) =>
    values.length === 0 || values.includes(String(value));
  const counted = all.filter(
    ({ key, synthetic }) =>
      (query.tenant === undefined || key.tenant === query.tenant) &&
      Number(key.hour) >= query.fromMs &&
      Number(key.hour) < query.toMs &&
      keeps(filter.features, key.feature) &&
      keeps(filter.users, key.user) &&
      keeps(filter.models, key.model) &&
      keeps(filter.promptNames, key.prompt) &&
      keeps(filter.promptVersions, key.prompt_version) &&
      keeps(filter.errorReasons, key.error_reason) &&
      keeps(filter.cacheStatuses, key.cache_status) &&
      (filter.synthetic === undefined || filter.synthetic === synthetic),
  );
  const groups = Map.groupBy(counted, ({ key }) =>
    asGroup(Object.fromEntries(groupBy.map((name) => [name, key[name]]))),
  );
  const { rows, total, rest } = await usage.summarize(query);
  assert.equal(rest, undefined);
  if (groupBy.length > 0) {
    assert.deepEqual(rows.map(({ key }) => asGroup(key)).sort(), [...groups.keys()].sort());
    for (const { key, sums } of rows) compareSums(sums, groups.get(asGroup(key)) ?? []);
  }
  compareSums(total, counted);
}

function compareSums({ latency, ...sums }: UsageSums, rows: readonly Counted[]): void {
  for (const [name, value] of Object.entries(sums)) {
    const expected = rows.reduce((sum, row) => sum + (row.sums[name as keyof typeof sums] ?? 0n), 0n);
    assert.equal(value, expected, name);
  }
  const sorted = rows.flatMap(({ latencyMs }) => (latencyMs === undefined ? [] : [latencyMs])).sort((a, b) => a - b);
  assert.equal(latency === undefined, sorted.length === 0);
  if (sorted.length === 0) return;
  for (const [percent, value] of [
    [50, latency?.p50Ms],
    [90, latency?.p90Ms],
    [99, latency?.p99Ms],
  ] as const) {
    const exact = sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? 0;
    const allowed = Math.max(exact * 0.02, exact < 2 ? 1 : 0) + 1e-9;
    assert.ok(Math.abs((value ?? -1e9) - exact) <= allowed, `p${percent} is ${value}, exactly ${exact}`);
  }
}
