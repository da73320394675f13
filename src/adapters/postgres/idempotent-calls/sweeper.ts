import type { Clock } from "../../../core/clock.ts";
import type { IdempotentRows } from "./rows.ts";

const INTERVAL_MS = 60_000;
/** Most batches in a row: what is left waits for the next minute, or for another process. */
const MAX_BATCHES = 100;

/**
 * Removes expired rows until closed, about once a minute; many processes may do so at once. An expired row that is
 * still there harms nobody, so a database that is away is simply tried again a minute later.
 * @returns the end of it.
 */
export function startSweeper(rows: IdempotentRows, clock: Clock): () => void {
  const closing = new AbortController();
  const run = async () => {
    for (;;) {
      await clock.sleep(INTERVAL_MS * (0.5 + clock.random()), closing.signal);
      await sweepAll(rows, closing.signal).catch(() => {});
    }
  };
  // Only the end of the wait ends it.
  run().catch(() => {});
  return () => closing.abort();
}

async function sweepAll(rows: IdempotentRows, signal: AbortSignal): Promise<void> {
  for (let batches = 0; batches < MAX_BATCHES && !signal.aborted; batches += 1) {
    if (!(await rows.sweep())) return;
  }
}
