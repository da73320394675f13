import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLedger, type DrainedLedger } from "../../../src/adapters/spool/ledger.ts";
import { encodeLine } from "../../../src/adapters/spool/line.ts";
import { openSpool } from "../../../src/adapters/spool/open-spool.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { MemoryStore } from "./memory-store.ts";
import { recordingLog } from "./recording-log.ts";
import { attemptStarted, callFinished, endOf } from "./records.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const MAX_BYTES = 65_536;
const UNAVAILABLE = { message: "STORE_UNAVAILABLE" };

describe("the bound of a spool", () => {
  const folder = temporaryFolder();
  const log = recordingLog();
  let ledger: DrainedLedger;

  const open = async (store: MemoryStore) => {
    const spool = await openSpool({ dir: folder.path, maxBytes: MAX_BYTES, clock: systemClock, log });
    ledger = createLedger({ spool, store, clock: systemClock, log });
    ledger.start();
  };
  const recordCall = async (feature = "summaries") => {
    const start = attemptStarted({ feature });
    await ledger.record(start);
    await ledger.record(endOf(start));
    await ledger.record(callFinished(start));
  };

  beforeEach(() => log.lines.splice(0));
  afterEach(() => ledger.close());

  it("is warned of while calls are still taken, with how much there is", async () => {
    const store = new MemoryStore();
    store.isAway = true;
    await open(store);
    while (!log.events().includes("ledger_spool_filling")) await recordCall();
    const [warning] = log.lines.filter(({ event }) => event === "ledger_spool_filling");
    assert.equal(warning?.level, "warn");
    assert.equal(warning?.fields.max_bytes, MAX_BYTES);
    assert.ok(Number(warning?.fields.used_bytes) < MAX_BYTES);
    await recordCall();
    assert.ok(!log.events().includes("ledger_spool_full"));
    assert.equal(ledger.status().isRefusing, false);
  });

  it("holds for what dead processes left, too, until it is stored", async () => {
    const dead = join(folder.path, "1700000000000-4242-0a1b2c3d");
    await mkdir(dead);
    const starts = Array.from({ length: 120 }, () => attemptStarted());
    const lines = starts.flatMap((start) => [start, { ...endOf(start), tenant: start.tenant }].map(encodeLine));
    await writeFile(join(dead, "000000000001.log"), Buffer.concat(lines));
    const store = new MemoryStore();
    store.isAway = true;
    await open(store);
    await assert.rejects(ledger.record(attemptStarted()), UNAVAILABLE);
    store.isAway = false;
    assert.ok(await ledger.flush(15_000));
    await recordCall();
  });

  it("holds for dead letters, too, those of dead processes included", async () => {
    const letters = join(folder.path, "dead-letter");
    await mkdir(letters);
    await writeFile(join(letters, "1700000000000-4242-0a1b2c3d.jsonl"), "x".repeat(MAX_BYTES - 2_000));
    await open(new MemoryStore());
    await assert.rejects(ledger.record(attemptStarted()), UNAVAILABLE);
    assert.ok(log.events().includes("ledger_spool_full"));
  });

  it("is not got round by records that can never be stored: they count when they are set aside", async () => {
    const store = new MemoryStore();
    await open(store);
    const poison = async () => {
      for (;;) {
        await Promise.all(["poison", "poison", "poison", "poison", "poison"].map(recordCall));
        assert.ok(await ledger.flush(10_000));
      }
    };
    await assert.rejects(poison(), UNAVAILABLE);
    const dir = join(folder.path, "dead-letter");
    const [name = ""] = await readdir(dir);
    const bytes = (await readFile(join(dir, name))).length;
    assert.ok(bytes > MAX_BYTES / 2 && bytes <= MAX_BYTES, `${bytes} bytes of dead letters`);
  });

  it("waits with a poisoned record that cannot be set aside, and loses neither it nor others", async () => {
    const obstacle = join(folder.path, "dead-letter");
    const store = new MemoryStore();
    await open(store);
    await writeFile(obstacle, "a file where the folder should be");
    await recordCall("poison");
    await recordCall();
    assert.equal(await ledger.flush(1_000), false);
    assert.ok(ledger.status().pendingRecords > 0);
    await rm(obstacle);
    await recordCall();
    assert.ok(await ledger.flush(15_000));
    assert.equal(store.keys().length, 8);
    const [name = ""] = await readdir(obstacle);
    const letters = (await readFile(join(obstacle, name), "utf8")).trimEnd().split("\n");
    assert.equal(letters.length, 1);
    assert.match(letters[0] ?? "", /"feature":"poison"/);
  });

  it("refuses a record that is longer than any may be, and goes on", async () => {
    const store = new MemoryStore();
    await open(store);
    await assert.rejects(ledger.record(attemptStarted({ feature: "x".repeat(300_000) })), RangeError);
    await recordCall();
    assert.ok(await ledger.flush(10_000));
    assert.equal(store.keys().length, 3);
    assert.equal(ledger.status().openAttempts, 0);
  });
});
