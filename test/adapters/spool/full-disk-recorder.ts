/**
 * A program that records on a disk that is full: it runs under a limit of the size of files. Argument: the spool folder.
 *
 * It begins attempts until one is refused and prints `start <call id>` for each that was not. Then it ends them all,
 * prints `full`, and waits for a line on stdin. At `room` there is some again: once an attempt was admitted it ends that
 * too and prints `room`. At `close` there is none. Then it closes the spool and prints `closed`. After `full` and `room`
 * it says whether attempts are refused, and what was logged.
 */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { openSpool } from "../../../src/adapters/spool/open-spool.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import type { AttemptStarted } from "../../../src/core/ledger.ts";
import { acknowledge } from "./acknowledge.ts";
import { recordingLog } from "./recording-log.ts";
import { attemptStarted, callFinished, endOf } from "./records.ts";

const [dir = ""] = process.argv.slice(2);
const log = recordingLog();
const spool = await openSpool({ dir, clock: systemClock, log });

/** False where it was refused, with the failure that callers get. */
async function begin(start: AttemptStarted): Promise<boolean> {
  try {
    await spool.record(start);
    return true;
  } catch (error) {
    if (!(error instanceof SluiceError && error.failure.reason === "STORE_UNAVAILABLE")) throw error;
    return false;
  }
}

async function end(start: AttemptStarted): Promise<void> {
  await spool.record(endOf(start));
  await spool.record(callFinished(start));
}

const started: AttemptStarted[] = [];
for (let start = attemptStarted(); await begin(start); start = attemptStarted()) {
  started.push(start);
  acknowledge(`start ${start.call_id}`);
}
for (const start of started) await end(start);
acknowledge(`full ${spool.status().isRefusing} ${log.events().join(" ")}`);

async function goOn(): Promise<void> {
  let last = attemptStarted();
  while (!(await begin(last))) {
    last = attemptStarted();
    await pause(20);
  }
  acknowledge(`start ${last.call_id}`);
  await end(last);
  acknowledge(`room ${spool.status().isRefusing} ${log.events().join(" ")}`);
}

const [told] = await once(process.stdin, "data");
if (String(told).trim() === "room") await goOn();
await spool.close();
acknowledge("closed");
process.exit(0);
