import { rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { AttemptFinished, AttemptStarted, LedgerRecord } from "../../core/ledger.ts";
import type { AdoptedSpools } from "./adopted-spools.ts";
import type { DeadLetter, DeadLetters } from "./dead-letters.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { InstanceFolder } from "./instance-folder.ts";
import { encodeLine } from "./line.ts";
import { attemptKey, type SpooledRecord } from "./record.ts";
import { type Room, spoolUnavailable } from "./room.ts";
import type { Segment } from "./segment-file.ts";
import type { SegmentWriter } from "./segment-writer.ts";

/** The longest line. Far above any record whose fields the contract bounds; a longer one is a bug of the caller. */
const MAX_LINE_BYTES = 256 * 1024;

/** What a spool is made of. */
export interface SpoolParts {
  readonly maxBytes: number;
  readonly folder: InstanceFolder;
  readonly adopted: AdoptedSpools;
  readonly deadLetters: DeadLetters;
  readonly room: Room;
  readonly segments: SegmentWriter;
  readonly commit: GroupCommit;
}

interface OpenAttempt {
  readonly start: AttemptStarted;
  /** Where its start lies; absent until it is written. */
  segment: Segment | undefined;
}

/**
 * The ledger's records on their way to the store: append-only files of checksummed lines. Writing is for the calls,
 * reading for the drain; a segment is deleted once the drain has stored it.
 */
export class Spool {
  readonly #maxBytes: number;
  readonly #folder: InstanceFolder;
  readonly #deadLetters: DeadLetters;
  readonly #room: Room;
  readonly #segments: SegmentWriter;
  readonly #commit: GroupCommit;
  readonly #adopted: AdoptedSpools;
  readonly #openAttempts = new Map<string, OpenAttempt>();
  #droppedRecords = 0;
  #onAppend: () => void = () => {};

  constructor(parts: SpoolParts) {
    this.#maxBytes = parts.maxBytes;
    this.#folder = parts.folder;
    this.#deadLetters = parts.deadLetters;
    this.#room = parts.room;
    this.#adopted = parts.adopted;
    this.#segments = parts.segments;
    this.#commit = parts.commit;
  }

  /** See `Ledger.record`. The end of an attempt whose start was not recorded here is a bug of the caller. */
  record(record: LedgerRecord): Promise<void> {
    switch (record.type) {
      case "attempt_started":
        return this.#recordStart(record);
      case "attempt_finished":
        return this.#recordEnd(record);
      case "call_finished":
        return this.#recordOutcome(encode(record), record.attempts > 0);
    }
  }

  async #recordStart(start: AttemptStarted): Promise<void> {
    const line = encode(start);
    if (!this.#room.admitAttempt(line.length)) throw spoolUnavailable(this.#maxBytes);
    const attempt: OpenAttempt = { start, segment: undefined };
    this.#openAttempts.set(attemptKey(start), attempt);
    try {
      await this.#append(line, "refusable", (segment) => {
        attempt.segment = segment;
      });
    } catch (error) {
      this.#openAttempts.delete(attemptKey(start));
      this.#room.free(line.length);
      this.#room.attemptEnded();
      throw spoolUnavailable(this.#maxBytes, error);
    }
  }

  async #recordEnd(end: AttemptFinished): Promise<void> {
    const attempt = this.#openAttempts.get(attemptKey(end));
    if (!attempt) throw new Error(`the attempt ${attemptKey(end)} was not started, or has ended before`);
    this.#openAttempts.delete(attemptKey(end));
    const line = encode({ ...end, tenant: attempt.start.tenant });
    this.#room.add(line.length);
    await this.#append(line, "kept", () => this.#room.attemptEnded());
  }

  /** Calls without attempts cost nothing: where there is no room for them they are dropped and counted, not refused. */
  async #recordOutcome(line: Buffer, isPaid: boolean): Promise<void> {
    if (isPaid) this.#room.add(line.length);
    else if (this.#commit.refusal !== undefined || !this.#room.admitOptional(line.length)) {
      this.#droppedRecords += 1;
      return;
    }
    await this.#append(line, "kept", () => {});
  }

  async #append(line: Buffer, onRefusal: "kept" | "refusable", onWritten: (segment: Segment) => void): Promise<void> {
    await this.#commit.write({ line, onRefusal, onWritten });
    this.#onAppend();
  }

  /** Sets what is called after records were written: the drain's alarm clock. */
  set onAppend(listener: () => void) {
    this.#onAppend = listener;
  }

  /** The oldest segment that is not stored yet: those of dead processes first. */
  async oldest(): Promise<Segment | undefined> {
    return (await this.#adopted.oldest()) ?? this.#segments.segments[0];
  }

  /** Deletes a sealed segment whose records are all stored. Starts of attempts that are still under way are carried over. */
  async remove(segment: Segment): Promise<void> {
    if (this.#adopted.holds(segment)) return this.#adopted.removeOldest();
    const carried = [...this.#openAttempts.values()].filter((attempt) => attempt.segment === segment);
    await Promise.all(carried.map((attempt) => this.#carryOver(attempt)));
    await rm(segment.path, { force: true });
    this.#segments.forget(segment);
    this.#room.free(segment.bytes);
  }

  /** A process that adopts this spool must find the start of every attempt whose end it does not find. */
  async #carryOver(attempt: OpenAttempt): Promise<void> {
    const line = encode(attempt.start);
    this.#room.add(line.length);
    try {
      await this.#append(line, "refusable", (segment) => {
        attempt.segment = segment;
      });
    } catch (error) {
      this.#room.free(line.length);
      throw error;
    }
  }

  /** Whether the current segment is old enough to be sealed although it has room. */
  get isAged(): boolean {
    return this.#segments.isAged;
  }

  /** Seals the current segment, so that it can be deleted. */
  seal(): Promise<void> {
    return this.#commit.exclusively(() => this.#segments.seal());
  }

  /** Sets records aside that can never be stored. */
  async setAside(segment: Segment, letters: readonly Omit<DeadLetter, "segment">[]): Promise<void> {
    const name = `${basename(dirname(segment.path))}/${basename(segment.path)}`;
    this.#room.add(await this.#deadLetters.add(letters.map((letter) => ({ segment: name, ...letter }))));
  }

  status(): SpoolStatus {
    const { segments } = this.#segments;
    return {
      records: segments.reduce((sum, segment) => sum + segment.records, this.#adopted.records + this.#commit.queued),
      bytes: segments.reduce((sum, segment) => sum + segment.bytes, this.#adopted.bytes),
      adoptedBytes: this.#adopted.bytes,
      openAttempts: this.#openAttempts.size,
      isRefusing: this.#room.isFull || this.#commit.refusal !== undefined,
      droppedRecords: this.#droppedRecords,
    };
  }

  /** Writes and syncs what is queued and gives the folder free. What is not stored waits for the next process. */
  async close(): Promise<void> {
    await this.#commit.close();
    await this.#folder.release();
    await this.#adopted.close();
  }
}

export interface SpoolStatus {
  /** Records in the segments that are known; a dead process's spool counts once it is being drained. */
  readonly records: number;
  /** Bytes of all segments. */
  readonly bytes: number;
  /** Those of dead processes' segments. */
  readonly adoptedBytes: number;
  readonly openAttempts: number;
  /** Whether paid calls are refused: the spool is full, or its disk does not take records. */
  readonly isRefusing: boolean;
  /** Records of calls without attempts for which there was no room. */
  readonly droppedRecords: number;
}

function encode(record: SpooledRecord): Buffer {
  const line = encodeLine(record);
  if (line.length > MAX_LINE_BYTES) throw new RangeError(`a ledger record of ${line.length} bytes is too long`);
  return line;
}
