import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createLedger } from "../../../src/adapters/spool/ledger.ts";
import { openSpool } from "../../../src/adapters/spool/open-spool.ts";
import { OUTCOME_UNKNOWN } from "../../../src/adapters/spool/record.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { MemoryStore } from "./memory-store.ts";
import { recordingLog } from "./recording-log.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const program = fileURLToPath(new URL("full-disk-recorder.ts", import.meta.url));

/** What a file may grow to: no multiple of a record, so that the last write fits in part. */
const LIMIT_KIB = 37;

// The limit of the size of files is what every Unix has; the write that reaches it is cut short, as on a full disk.
describe("a spool on a full disk", function () {
  this.timeout(60_000);
  const folder = temporaryFolder();

  /** Runs the recorder; the first line that begins with `word` ends the wait. */
  const record = () => {
    const shell = `ulimit -S -f ${LIMIT_KIB}; exec "$0" "$@"`;
    const child = spawn("bash", ["-c", shell, process.execPath, program, folder.path], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const started: string[] = [];
    const until = async (word: string): Promise<string> => {
      for (let next = await lines.next(); !next.done; next = await lines.next()) {
        const [first, id = ""] = next.value.split(" ");
        if (first === "start") started.push(id);
        if (first === word) return next.value;
      }
      throw new Error(`the recorder ended before it said ${word}`);
    };
    return { child, started, until };
  };

  /** What the next process stores of it. */
  const drain = async () => {
    const store = new MemoryStore();
    const log = recordingLog();
    const spool = await openSpool({ dir: folder.path, clock: systemClock, log });
    const ledger = createLedger({ spool, store, clock: systemClock, log });
    ledger.start();
    assert.ok(await ledger.flush(10_000));
    await ledger.close();
    const ends = store.written.filter((written) => written.type === "attempt_finished");
    const damages = log.lines.filter(({ event }) => event === "ledger_record_set_aside");
    return { store, ends, damages: damages.map(({ fields }) => fields.reason) };
  };

  it("refuses attempts, keeps outcomes, and writes them when there is room again", async () => {
    const { child, started, until } = record();
    assert.equal(await until("full"), "full true ledger_spool_write_failed");
    assert.ok(started.length > 10);
    makeRoom(child);
    assert.equal(await until("room"), "room false ledger_spool_write_failed ledger_spool_write_recovered");
    await until("closed");
    const { store, ends, damages } = await drain();
    assert.deepEqual(damages, [], "nothing of the failed writes is left");
    assert.equal(store.keys().length, store.written.length, "nothing is stored twice");
    assert.deepEqual(
      ends.map(({ call_id, error_reason }) => [call_id, error_reason]),
      started.map((id) => [id, ""]),
    );
    const calls = store.written.filter((written) => written.type === "call_finished");
    assert.deepEqual(
      calls.map(({ call_id }) => call_id),
      started,
    );
  });

  it("leaves whole records only when it is closed, and what it could not write is charged as estimated", async () => {
    const { child, started, until } = record();
    await until("full");
    child.stdin.write("close\n");
    await until("closed");
    const { ends, damages } = await drain();
    assert.deepEqual(damages, []);
    assert.deepEqual(
      ends.map(({ call_id, error_reason }) => [call_id, error_reason]),
      started.map((id) => [id, OUTCOME_UNKNOWN]),
    );
  });

  it("charges as estimated what it could not write when it was killed, each attempt once", async () => {
    const { child, started, until } = record();
    await until("full");
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    const { store, ends, damages } = await drain();
    assert.equal(store.keys().length, store.written.length, "nothing is stored twice");
    assert.deepEqual(ends.map(({ call_id }) => call_id).sort(), [...started].sort());
    assert.ok(ends.every(({ error_reason }) => error_reason === OUTCOME_UNKNOWN));
    assert.ok(damages.length <= 1, "at most the line that was cut short is set aside");
  });
});

/** Lifts the limit, and tells the recorder. */
function makeRoom({ pid, stdin }: ChildProcess): void {
  execFileSync("prlimit", ["--pid", String(pid), "--fsize=unlimited:"]);
  stdin?.write("room\n");
}
