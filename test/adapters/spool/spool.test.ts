import assert from "node:assert/strict";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { openSpool, type SpoolOptions } from "../../../src/adapters/spool/open-spool.ts";
import type { Spool } from "../../../src/adapters/spool/spool.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import type { AttemptStarted } from "../../../src/core/ledger.ts";
import { recordingLog } from "./recording-log.ts";
import { attemptStarted, callFinished, endOf } from "./records.ts";
import { segmentFiles, temporaryFolder } from "./temporary-folder.ts";

describe("spool", () => {
  const folder = temporaryFolder();
  const log = recordingLog();
  let spool: Spool;

  const open = async (options: Partial<SpoolOptions> = {}) => {
    spool = await openSpool({ dir: folder.path, clock: systemClock, log, ...options });
  };
  const text = async () =>
    (await Promise.all((await segmentFiles(folder.path)).map((path) => readFile(path, "utf8")))).join("");

  beforeEach(() => log.lines.splice(0));
  afterEach(() => spool.close());

  it("has a record in its file when it is acknowledged", async () => {
    await open();
    const start = attemptStarted();
    await spool.record(start);
    assert.match(await text(), new RegExp(`^[0-9a-f]{8} [0-9]+ .*${start.call_id}.*\n$`));
  });

  it("keeps the order of records and writes each once", async () => {
    await open();
    const starts = Array.from({ length: 300 }, () => attemptStarted());
    await Promise.all(starts.map((start) => spool.record(start)));
    const ids = [...(await text()).matchAll(/"call_id":"([^"]+)"/g)].map((match) => match[1]);
    assert.deepEqual(
      ids,
      starts.map((start) => start.call_id),
    );
  });

  it("gives the end of an attempt the tenant of its start", async () => {
    await open();
    const start = attemptStarted({ tenant: "globex" });
    await spool.record(start);
    await spool.record(endOf(start));
    const last = (await text()).trimEnd().split("\n").at(-1) ?? "";
    assert.equal(JSON.parse(last.replace(/^\S+ \S+ /, "")).tenant, "globex");
  });

  it("refuses the end of an attempt that it knows nothing of", async () => {
    await open();
    await assert.rejects(spool.record(endOf(attemptStarted())), /was not started/);
  });

  it("begins another segment when one is full", async () => {
    await open({ segmentBytes: 2000 });
    for (let count = 0; count < 20; count += 1) await spool.record(attemptStarted());
    const files = await segmentFiles(folder.path);
    assert.ok(files.length >= 4);
    for (const file of files) assert.ok((await readFile(file)).length <= 2000);
  });

  it("refuses a bound that is too small to work with", async () => {
    await open();
    await assert.rejects(openSpool({ dir: folder.path, maxBytes: 10, clock: systemClock, log }), RangeError);
  });

  describe("that is full", () => {
    const fill = async (): Promise<AttemptStarted[]> => {
      const started: AttemptStarted[] = [];
      for (;;) {
        const start = attemptStarted();
        try {
          await spool.record(start);
          started.push(start);
        } catch (error) {
          assert.ok(error instanceof SluiceError);
          assert.deepEqual(error.failure, {
            reason: "STORE_UNAVAILABLE",
            resource: "ledger_spool",
            limit: 65_536,
            retryAfterMs: 5000,
          });
          return started;
        }
      }
    };

    it("refuses new attempts, and says so in the log once, after a warning", async () => {
      await open({ maxBytes: 65_536 });
      await fill();
      await fill();
      assert.deepEqual(log.events(), ["ledger_spool_filling", "ledger_spool_full"]);
    });

    it("has room for the outcome of every attempt that was admitted", async () => {
      await open({ maxBytes: 65_536 });
      const started = await fill();
      assert.ok(started.length > 5);
      for (const start of started) {
        await spool.record(endOf(start, { error_reason: "x".repeat(1000) }));
        await spool.record(callFinished(start, { prompt_name: "x".repeat(1000) }));
      }
      assert.ok((await text()).length <= 65_536);
    });

    it("drops and counts calls that cost nothing", async () => {
      await open({ maxBytes: 65_536 });
      await fill();
      for (let count = 0; count < 200; count += 1) await spool.record(callFinished());
      assert.ok(spool.status().droppedRecords > 0);
      assert.ok((await text()).length <= 65_536);
    });

    it("takes attempts again when segments are stored", async () => {
      await open({ maxBytes: 65_536 });
      for (const start of await fill()) await spool.record(endOf(start));
      await fill();
      await spool.seal();
      for (let oldest = await spool.oldest(); oldest?.sealed; oldest = await spool.oldest()) await spool.remove(oldest);
      await spool.record(attemptStarted());
    });
  });

  describe("whose disk refuses writes", () => {
    const away = () => `${folder.path}-away`;
    let instance = "";
    // New segments cannot be created while the folder is elsewhere; each record asks for a new one.
    const refuse = async () => {
      instance = dirname((await segmentFiles(folder.path))[0] ?? "");
      await rename(instance, away());
    };
    const recover = () => rename(away(), instance);

    beforeEach(() => open({ segmentBytes: 1 }));

    it("refuses attempts and keeps outcomes until it takes them again", async () => {
      const start = attemptStarted();
      await spool.record(start);
      await refuse();
      await assert.rejects(spool.record(attemptStarted()), { message: "STORE_UNAVAILABLE" });
      await spool.record(endOf(start));
      await spool.record(callFinished(start));
      assert.equal(spool.status().records, 3);
      await recover();
      const next = attemptStarted();
      await spool.record(next);
      const written = await text();
      assert.equal(written.split("\n").length - 1, 4);
      assert.ok(
        written.includes("attempt_finished") && written.includes("call_finished") && written.includes(next.call_id),
      );
    });

    it("logs the change of state once", async () => {
      await spool.record(attemptStarted());
      await refuse();
      for (let count = 0; count < 3; count += 1) await assert.rejects(spool.record(attemptStarted()));
      await recover();
      await spool.record(attemptStarted());
      assert.deepEqual(log.events(), ["ledger_spool_write_failed", "ledger_spool_write_recovered"]);
    });
  });

  it("is readable by its owner only", async () => {
    await open();
    await spool.record(attemptStarted());
    const [file] = await segmentFiles(folder.path);
    const { mode } = await stat(file ?? "");
    assert.equal(mode & 0o077, 0);
  });

  it("says which folder cannot be used", async () => {
    await open();
    const taken = `${folder.path}/taken`;
    await writeFile(taken, "");
    await assert.rejects(openSpool({ dir: taken, clock: systemClock, log }), /EEXIST|ENOTDIR/);
  });
});
