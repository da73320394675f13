import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A piece of a spool: records in the order of their writing. */
export interface Segment {
  readonly path: string;
  /** Bytes that hold acknowledged records. What lies behind them in the file is the rest of a failed write. */
  readonly bytes: number;
  readonly records: number;
  /** No record will be added any more. */
  readonly sealed: boolean;
}

const SEGMENT_NAME = /^([0-9]{12})\.log$/;

export function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(12, "0")}.log`);
}

/** The number of a segment by its file name; nothing for files that are no segments. */
export function segmentNumber(name: string): number | undefined {
  const match = SEGMENT_NAME.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** The segment that is being written. One call at a time. */
export class SegmentFile implements Segment {
  readonly path: string;
  readonly createdMs: number;
  bytes = 0;
  records = 0;
  sealed = false;
  readonly #file: FileHandle;
  #syncedBytes = 0;

  private constructor(path: string, file: FileHandle, createdMs: number) {
    this.path = path;
    this.#file = file;
    this.createdMs = createdMs;
  }

  /** Creates the file, and makes its name survive a power cut. @throws Error when it exists or cannot be made. */
  static async create(path: string, nowMs: number): Promise<SegmentFile> {
    const file = await open(path, "wx", 0o600);
    try {
      await syncFolder(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
    return new SegmentFile(path, file, nowMs);
  }

  /** Writes whole lines. After an error nothing counts as written: the next write goes to the same place. */
  async append(lines: Buffer, records: number): Promise<void> {
    let done = 0;
    while (done < lines.length) {
      const { bytesWritten } = await this.#file.write(lines, done, lines.length - done, this.bytes + done);
      done += bytesWritten;
    }
    this.bytes += lines.length;
    this.records += records;
  }

  /** Makes everything that was written so far survive a power cut. */
  async sync(): Promise<void> {
    const bytes = this.bytes;
    if (bytes === this.#syncedBytes) return;
    await this.#file.datasync();
    this.#syncedBytes = bytes;
  }

  /** Ends the segment: cuts the rest of a failed write off, syncs and closes the file. It is sealed even if that fails. */
  async seal(): Promise<void> {
    this.sealed = true;
    try {
      await this.#file.truncate(this.bytes);
      await this.sync();
    } finally {
      await this.#file.close();
    }
  }
}

/** Makes the names in a folder survive a power cut. Windows cannot open folders and needs no such thing. */
export async function syncFolder(dir: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
