import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLedger } from "../../../src/adapters/spool/ledger.ts";
import { encodeLine } from "../../../src/adapters/spool/line.ts";
import { openSpool } from "../../../src/adapters/spool/open-spool.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { silentLog } from "../../../src/core/log.ts";
import { MemoryStore } from "./memory-store.ts";
import { attemptStarted, callFinished, endOf } from "./records.ts";
import { listing, temporaryFolder } from "./temporary-folder.ts";

/** Names of dead processes' folders, in the order in which they are adopted. */
function instanceName(index: number): string {
  return `${1_700_000_000_000 + index}-4242-0a1b2c3d`;
}

const DEAD = instanceName(0);

describe("the spool of a dead process", () => {
  const folder = temporaryFolder();

  /** Starts a ledger over the folder, lets it drain, and closes it. */
  const drain = async (store: MemoryStore) => {
    const spool = await openSpool({ dir: folder.path, clock: systemClock, log: silentLog });
    const ledger = createLedger({ spool, store, clock: systemClock, log: silentLog });
    ledger.start();
    assert.ok(await ledger.flush(10_000));
    await ledger.close();
  };
  const leave = async ({ instance = DEAD, segments }: { instance?: string; segments: Buffer[] }) => {
    await mkdir(join(folder.path, instance), { recursive: true });
    for (const [index, bytes] of segments.entries()) {
      await writeFile(join(folder.path, instance, `${String(index + 1).padStart(12, "0")}.log`), bytes);
    }
  };
  const deadLetters = async () => {
    const dir = join(folder.path, "dead-letter");
    const files = await readdir(dir).catch(() => []);
    const texts = await Promise.all(files.map((file) => readFile(join(dir, file), "utf8")));
    return texts.flatMap((text) => text.trimEnd().split("\n")).map((line) => JSON.parse(line));
  };

  const start = attemptStarted();
  const end = { ...endOf(start), tenant: start.tenant };
  const call = callFinished(start);

  it("is stored in order and leaves nothing behind", async () => {
    await leave({ segments: [Buffer.concat([encodeLine(start), encodeLine(end)]), encodeLine(call)] });
    const store = new MemoryStore();
    await drain(store);
    assert.deepEqual(store.written, [start, end, call]);
    assert.deepEqual(await listing(folder.path), []);
  });

  it("has each attempt without an end charged as estimated, once", async () => {
    const open = attemptStarted({ attempt: 2, estimated_prompt_tokens: 77, estimated_cost_nano_usd: null });
    await leave({ segments: [Buffer.concat([encodeLine(start), encodeLine(end), encodeLine(open)])] });
    const store = new MemoryStore();
    await drain(store);
    const ends = store.written.filter((record) => record.type === "attempt_finished");
    assert.equal(ends.length, 2);
    const charged = ends[1];
    assert.equal(charged?.call_id, open.call_id);
    assert.equal(charged?.attempt, 2);
    assert.equal(charged?.tenant, open.tenant);
    assert.equal(charged?.error_reason, "OUTCOME_UNKNOWN");
    assert.equal(charged?.usage_estimated, true);
    assert.equal(charged?.prompt_tokens, 77);
    assert.equal(charged?.cost_nano_usd, null);
  });

  it("keeps the ends it was given when the process that adopted it dies too", async () => {
    await leave({ segments: [encodeLine(attemptStarted())] });
    const away = new MemoryStore();
    away.isAway = true;
    const spool = await openSpool({ dir: folder.path, clock: systemClock, log: silentLog });
    const ledger = createLedger({ spool, store: away, clock: systemClock, log: silentLog });
    ledger.start();
    assert.equal(await ledger.flush(300), false);
    await ledger.close();
    const store = new MemoryStore();
    await drain(store);
    assert.equal(store.written.filter((record) => record.type === "attempt_finished").length, 1);
    assert.deepEqual(await listing(folder.path), []);
  });

  it("loses only its last line when that is torn, at whatever byte", async () => {
    const last = encodeLine(call);
    const expected: unknown[] = [];
    for (let length = 0; length < last.length - 1; length += 1) {
      const before = attemptStarted();
      const after = { ...endOf(before), tenant: before.tenant };
      expected.push(before, after);
      const whole = Buffer.concat([encodeLine(before), encodeLine(after)]);
      await leave({ instance: instanceName(length), segments: [Buffer.concat([whole, last.subarray(0, length)])] });
    }
    const store = new MemoryStore();
    await drain(store);
    assert.deepEqual(store.written, expected);
    assert.equal((await deadLetters()).length, last.length - 2);
  });

  it("keeps a last line that lacks nothing but its line feed", async () => {
    await leave({ segments: [Buffer.concat([encodeLine(start), encodeLine(end), encodeLine(call).subarray(0, -1)])] });
    const store = new MemoryStore();
    await drain(store);
    assert.deepEqual(store.written, [start, end, call]);
  });

  it("has damaged lines set aside, whatever they hold, and the rest stored", async () => {
    const flipped = encodeLine(attemptStarted());
    flipped[60] = (flipped[60] ?? 0) ^ 1;
    const garbage = [Buffer.alloc(5000), Buffer.from("\n\n"), Buffer.alloc(2_500_000, "x"), Buffer.from("\n"), flipped];
    await leave({
      segments: [
        Buffer.concat([encodeLine(start), ...garbage, encodeLine({ type: "from_the_future" }), encodeLine(end)]),
      ],
    });
    const store = new MemoryStore();
    await drain(store);
    assert.deepEqual(store.written, [start, end]);
    const reasons = (await deadLetters()).map((letter) => letter.reason);
    assert.deepEqual(reasons, [
      "malformed",
      "malformed",
      "malformed",
      "malformed",
      "malformed",
      "checksum",
      "unknown_record",
    ]);
  });

  it("is charged as estimated where the end of an attempt is damaged", async () => {
    const damaged = encodeLine(end);
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    await leave({ segments: [Buffer.concat([encodeLine(start), damaged, encodeLine(call)])] });
    const store = new MemoryStore();
    await drain(store);
    assert.deepEqual(
      store.written.map((record) => record.type),
      ["attempt_started", "call_finished", "attempt_finished"],
    );
  });

  it("is left alone while its process lives", async () => {
    const live = await openSpool({ dir: folder.path, clock: systemClock, log: silentLog });
    await live.record(start);
    const before = await listing(folder.path);
    const store = new MemoryStore();
    await drain(store);
    assert.deepEqual(store.written, []);
    assert.deepEqual(await listing(folder.path), before);
    await live.close();
    await drain(store);
    assert.equal(store.written.length, 2);
  });

  it("is stored once when two processes start at the same time", async () => {
    await leave({ segments: [Buffer.concat([encodeLine(start), encodeLine(end), encodeLine(call)])] });
    const store = new MemoryStore();
    await Promise.all([drain(store), drain(store), drain(store)]);
    assert.deepEqual(store.written, [start, end, call]);
    assert.deepEqual(await listing(folder.path), []);
  });

  it("leaves files that are none of its own where they are", async () => {
    await leave({ segments: [encodeLine(start)] });
    await copyFile(join(folder.path, DEAD, "000000000001.log"), join(folder.path, DEAD, "notes.txt"));
    await drain(new MemoryStore());
    assert.ok((await listing(folder.path)).includes(`${DEAD}/notes.txt`));
  });
});
