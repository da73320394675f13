import { type FileHandle, open } from "node:fs/promises";
import { type DecodedLine, decodeLine } from "./line.ts";
import { isSpooledRecord, type SpooledRecord } from "./record.ts";

/** A line that holds no readable record, as it lies in the file. */
export interface DamagedLine {
  readonly offset: number;
  readonly bytes: Buffer;
  readonly damage: "torn" | "malformed" | "checksum" | "unknown_record";
}

export interface SegmentBatch {
  readonly records: readonly SpooledRecord[];
  readonly damaged: readonly DamagedLine[];
  /** Where the next batch begins. Equal to the asked end when everything was read. */
  readonly nextOffset: number;
}

/** At most this much is read at once. A longer line is damage: the writer writes none. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_RECORDS = 500;
const LINE_FEED = 0x0a;

/**
 * Reads the next lines of a segment between two byte offsets: at most 500 and 1 MiB. Damage costs its own line and
 * nothing more.
 */
export async function readBatch(path: string, offset: number, end: number): Promise<SegmentBatch> {
  const file = await open(path, "r");
  try {
    const wanted = Math.min(BATCH_BYTES, end - offset);
    const bytes = await readFully(file, offset, wanted);
    // A file that is shorter than it was (a disk that lost writes) is torn there; nothing behind is worth waiting for.
    if (bytes.length === 0) return { records: [], damaged: [{ offset, bytes, damage: "torn" }], nextOffset: end };
    return splitLines(bytes, offset, bytes.length < wanted || offset + wanted >= end);
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

function splitLines(bytes: Buffer, offset: number, atEnd: boolean): SegmentBatch {
  const records: SpooledRecord[] = [];
  const damaged: DamagedLine[] = [];
  let start = 0;
  let lines = 0;
  while (start < bytes.length && lines < BATCH_RECORDS) {
    const feed = bytes.indexOf(LINE_FEED, start);
    // Half a line at the end of what was read belongs to the next batch, unless it is the last, or longer than any batch.
    if (feed === -1 && !atEnd && start > 0) break;
    const line = bytes.subarray(start, feed === -1 ? bytes.length : feed);
    const decoded = decodeLine(line);
    if ("value" in decoded && isSpooledRecord(decoded.value)) records.push(decoded.value);
    else damaged.push({ offset: offset + start, bytes: Buffer.from(line), damage: damageOf(decoded) });
    start = feed === -1 ? bytes.length : feed + 1;
    lines += 1;
  }
  return { records, damaged, nextOffset: offset + start };
}

function damageOf(decoded: DecodedLine): DamagedLine["damage"] {
  return "damage" in decoded ? decoded.damage : "unknown_record";
}
