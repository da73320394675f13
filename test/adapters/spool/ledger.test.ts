import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createLedger, type DrainedLedger } from "../../../src/adapters/spool/ledger.ts";
import type { LedgerStore } from "../../../src/adapters/spool/ledger-store.ts";
import { openSpool, type SpoolOptions } from "../../../src/adapters/spool/open-spool.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { MemoryStore } from "./memory-store.ts";
import { recordingLog } from "./recording-log.ts";
import { attemptStarted, callFinished, endOf } from "./records.ts";
import { listing, segmentFiles, temporaryFolder } from "./temporary-folder.ts";

describe("ledger", () => {
  const folder = temporaryFolder();
  const log = recordingLog();
  let ledger: DrainedLedger;

  const open = async (store: LedgerStore | Promise<LedgerStore>, options: Partial<SpoolOptions> = {}) => {
    const spool = await openSpool({ dir: folder.path, clock: systemClock, log, ...options });
    ledger = createLedger({ spool, store, clock: systemClock, log });
    ledger.start();
  };
  const recordCall = async (feature = "summaries") => {
    const start = attemptStarted({ feature });
    await ledger.record(start);
    await ledger.record(endOf(start));
    await ledger.record(callFinished(start));
    return start;
  };

  beforeEach(() => log.lines.splice(0));
  afterEach(() => ledger.close());

  it("carries records to the store in order", async () => {
    const store = new MemoryStore();
    await open(store);
    const first = await recordCall();
    const second = await recordCall();
    assert.ok(await ledger.flush(10_000));
    assert.deepEqual(
      store.written.map((record) => [record.type, record.call_id]),
      [first, second].flatMap(({ call_id }) => [
        ["attempt_started", call_id],
        ["attempt_finished", call_id],
        ["call_finished", call_id],
      ]),
    );
    assert.equal(ledger.status().pendingRecords, 0);
    assert.ok(ledger.status().lastDrainAt);
  });

  it("says up to when the store has everything, and goes no further while the store is away", async () => {
    const store = new MemoryStore();
    let isAway = false;
    await open({
      write: (records) => (isAway ? Promise.reject(new Error("away")) : store.write(records)),
      close: async () => {},
    });
    await recordCall();
    const recordedMs = Date.now();
    const completeUntilMs = () => ledger.status().completeUntilMs ?? 0;
    while (completeUntilMs() <= recordedMs) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(store.keys().length, 3);
    isAway = true;
    const lost = await recordCall();
    assert.equal(await ledger.flush(300), false);
    const stuckMs = completeUntilMs();
    assert.equal(await ledger.flush(300), false);
    assert.equal(completeUntilMs(), stuckMs);
    isAway = false;
    assert.ok(await ledger.flush(10_000));
    assert.ok(store.written.some(({ call_id }) => call_id === lost.call_id));
  });

  it("stores many records in few transactions", async () => {
    const store = new MemoryStore();
    await open(store);
    await Promise.all(Array.from({ length: 400 }, () => recordCall()));
    assert.ok(await ledger.flush(10_000));
    assert.equal(store.keys().length, 1200);
    assert.ok(store.writes < 30, `${store.writes} writes`);
  });

  it("leaves an empty folder when everything was stored", async () => {
    await open(new MemoryStore(), { segmentBytes: 2000 });
    for (let count = 0; count < 20; count += 1) await recordCall();
    assert.ok(await ledger.flush(10_000));
    await ledger.close();
    assert.deepEqual(await listing(folder.path), []);
  });

  it("deletes segments as they are stored, the old one that nobody fills included", async () => {
    await open(new MemoryStore(), { segmentAgeMs: 1 });
    await recordCall();
    assert.ok(await ledger.flush(10_000));
    for (let tries = 0; tries < 100 && ledger.status().pendingBytes > 0; tries += 1) {
      await systemClock.sleep(50, new AbortController().signal);
    }
    assert.deepEqual(await segmentFiles(folder.path), []);
  });

  it("waits for a store that is away, and says so in the log once", async () => {
    const store = new MemoryStore();
    store.isAway = true;
    await open(store);
    await recordCall();
    assert.equal(await ledger.flush(1500), false);
    assert.equal(ledger.status().pendingRecords, 3);
    assert.match(String(ledger.status().lastError), /connection refused/);
    assert.ok(store.writes > 1);
    store.isAway = false;
    await recordCall();
    assert.ok(await ledger.flush(15_000));
    assert.equal(store.written.length, 6);
    assert.equal(ledger.status().lastError, undefined);
    assert.deepEqual(log.events(), ["ledger_store_away", "ledger_store_back"]);
  });

  it("works before its store is there", async () => {
    const arriving = Promise.withResolvers<LedgerStore>();
    await open(arriving.promise);
    await recordCall();
    assert.equal(await ledger.flush(200), false);
    const store = new MemoryStore();
    arriving.resolve(store);
    assert.ok(await ledger.flush(10_000));
    assert.equal(store.written.length, 3);
  });

  it("keeps its records for the next start when the store never comes", async () => {
    const failing = Promise.withResolvers<LedgerStore>();
    await open(failing.promise);
    failing.reject(new Error("damaged folder"));
    await recordCall();
    await ledger.close();
    assert.deepEqual(log.events(), ["ledger_store_away"]);
    const store = new MemoryStore();
    await open(store);
    assert.ok(await ledger.flush(10_000));
    assert.equal(store.written.length, 3);
  });

  it("sets aside the records that the store refuses, and stores all others", async () => {
    const store = new MemoryStore();
    store.isAway = true;
    await open(store);
    const good = [await recordCall()];
    const poisoned = [await recordCall("poison")];
    for (let count = 0; count < 5; count += 1) good.push(await recordCall());
    poisoned.push(await recordCall("poison"));
    good.push(await recordCall());
    store.isAway = false;
    assert.ok(await ledger.flush(15_000));
    assert.equal(store.keys().length, good.length * 3 + poisoned.length * 2);
    const dir = join(folder.path, "dead-letter");
    const [file] = await readdir(dir);
    const letters = (await readFile(join(dir, file ?? ""), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      letters.map(({ reason, detail, record }) => ({ reason, detail, call_id: record.call_id })),
      poisoned.map(({ call_id }) => ({
        reason: "refused_by_store",
        detail: "unsupported Unicode escape sequence",
        call_id,
      })),
    );
  });

  it("keeps the start of an attempt that is under way while segments around it are deleted", async () => {
    const store = new MemoryStore();
    await open(store, { segmentBytes: 2000 });
    const long = attemptStarted();
    await ledger.record(long);
    for (let count = 0; count < 20; count += 1) await recordCall();
    assert.ok(await ledger.flush(10_000));
    await ledger.close();
    const [left, ...others] = await segmentFiles(folder.path);
    assert.deepEqual(others, []);
    assert.ok((await readFile(left ?? "", "utf8")).includes(long.call_id));
    await open(store);
    assert.ok(await ledger.flush(10_000));
    const ends = store.written.filter(
      (record) => record.type === "attempt_finished" && record.call_id === long.call_id,
    );
    assert.equal(ends.length, 1);
  });

  it("can be closed twice, and before it was started", async () => {
    const spool = await openSpool({ dir: folder.path, clock: systemClock, log });
    const idle = createLedger({ spool, store: new MemoryStore(), clock: systemClock, log });
    await Promise.all([idle.close(), idle.close()]);
    await open(new MemoryStore());
  });
});
