import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import type { AttemptStarted } from "../../core/ledger.ts";
import type { Log } from "../../core/log.ts";
import { type InstanceFolder, listSegments } from "./instance-folder.ts";
import { encodeLine } from "./line.ts";
import { attemptKey, endOfAbandoned, type SpooledRecord } from "./record.ts";
import { type Segment, segmentPath, syncFolder } from "./segment-file.ts";
import { readBatch } from "./segment-reader.ts";

/**
 * Makes a dead process's spool ready to be drained: the attempts whose end was never recorded are ended as estimated,
 * in one more segment that is complete before anything is deleted. A crash in between therefore neither loses nor
 * repeats them: the next process finds either all of those ends or none, and the store takes the end of an attempt once.
 * @returns the segments, oldest first.
 */
export async function recover(
  folder: InstanceFolder,
  ports: { readonly clock: Clock; readonly log: Log },
): Promise<Segment[]> {
  // What a crash left of an earlier try.
  await rm(unfinishedPath(folder.dir), { force: true });
  const files = await listSegments(folder.dir);
  const open = new Map<string, AttemptStarted>();
  const segments: Segment[] = [];
  for (const { path, bytes } of files) {
    const records = await forEachRecord(path, bytes, (record) => followAttempt(open, record));
    segments.push({ path, bytes, records, sealed: true });
  }
  if (open.size > 0) {
    const finishedAt = new Date(ports.clock.nowMs()).toISOString();
    const ends = [...open.values()].map((start) => endOfAbandoned(start, finishedAt));
    segments.push(await writeSegment(folder.dir, (files.at(-1)?.number ?? 0) + 1, ends));
  }
  const records = segments.reduce((sum, segment) => sum + segment.records, 0);
  ports.log.info("ledger_spool_adopted", { instance: folder.name, records, abandoned_attempts: open.size });
  return segments;
}

function followAttempt(open: Map<string, AttemptStarted>, record: SpooledRecord): void {
  if (record.type === "attempt_started") open.set(attemptKey(record), record);
  else if (record.type === "attempt_finished") open.delete(attemptKey(record));
}

async function forEachRecord(path: string, bytes: number, visit: (record: SpooledRecord) => void): Promise<number> {
  let count = 0;
  for (let offset = 0; offset < bytes; ) {
    const batch = await readBatch(path, offset, bytes);
    for (const record of batch.records) visit(record);
    count += batch.records.length + batch.damaged.length;
    offset = batch.nextOffset;
  }
  return count;
}

/** Writes a whole segment that appears under its name only when it is complete. */
async function writeSegment(dir: string, number: number, records: readonly SpooledRecord[]): Promise<Segment> {
  const path = segmentPath(dir, number);
  const unfinished = unfinishedPath(dir);
  const lines = Buffer.concat(records.map(encodeLine));
  const file = await open(unfinished, "wx", 0o600);
  try {
    await file.writeFile(lines);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  await syncFolder(dir);
  return { path, bytes: lines.length, records: records.length, sealed: true };
}

function unfinishedPath(dir: string): string {
  return join(dir, "recovered.tmp");
}
