import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Segment } from "./segment-file.ts";
import type { SegmentWriter } from "./segment-writer.ts";

/** A line on its way to the file. */
export interface Entry {
  readonly line: Buffer;
  /**
   * What happens when the disk refuses it: a `refusable` entry fails; a `kept` one counts as taken and is written again
   * until it is in the file.
   */
  readonly onRefusal: "refusable" | "kept";
  /** Called once, when the line is in the file. */
  onWritten(segment: Segment): void;
}

interface Queued {
  readonly entry: Entry;
  resolve(): void;
  reject(error: unknown): void;
}

/** How often kept entries are tried again while the disk refuses them and nothing else is written. */
const RETRY_MS = 1000;

/** Writes the records of one turn of the event loop, and those that arrive during a write, in one write each. */
export class GroupCommit {
  readonly #segments: SegmentWriter;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #syncIntervalMs: number;
  readonly #closing = new AbortController();
  #queue: Queued[] = [];
  #running: Promise<void> | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #timers = new Set<"sync" | "retry">();
  #refusal: unknown;

  constructor(
    segments: SegmentWriter,
    options: { readonly clock: Clock; readonly log: Log; readonly syncIntervalMs: number },
  ) {
    this.#segments = segments;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#syncIntervalMs = options.syncIntervalMs;
  }

  /** The error with which the disk refused the last write; nothing while it takes them. */
  get refusal(): unknown {
    return this.#refusal;
  }

  /** Entries that wait for the disk. */
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Resolves when the line is written (or, for kept entries, when the disk refused it for now).
   * @throws what the disk says, for refusable entries; Error when the spool is closed.
   */
  write(entry: Entry): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(new Error("the spool is closed"));
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, resolve, reject });
      this.#schedule();
    });
  }

  /** Runs a step that must not meet a write, such as sealing the current segment. */
  exclusively<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(step);
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Takes nothing more, writes what is queued, syncs and seals. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the spool is closing"));
    await this.#running;
    if (this.#queue.length > 0) await this.exclusively(() => this.#commit());
    if (this.#queue.length > 0)
      this.#log.error("ledger_outcomes_lost", { records: this.#queue.length, error: this.#refusal });
    await this.exclusively(() => this.#segments.seal());
  }

  #schedule(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await new Promise(setImmediate);
    do {
      await this.exclusively(() => this.#commit());
    } while (this.#queue.length > 0 && this.#refusal === undefined);
    this.#running = undefined;
    if (this.#queue.length > 0) this.#after("retry", RETRY_MS, async () => this.#schedule());
  }

  /** One write for everything that is queued. Never throws: failures go to the entries. */
  async #commit(): Promise<void> {
    const batch = this.#queue;
    if (batch.length === 0) return;
    this.#queue = [];
    try {
      const segment = await this.#segments.append(Buffer.concat(batch.map(({ entry }) => entry.line)), batch.length);
      if (this.#syncIntervalMs === 0) await this.#segments.sync();
      for (const { entry } of batch) entry.onWritten(segment);
      for (const { resolve } of batch) resolve();
      this.#noteRefusal(undefined);
      if (this.#syncIntervalMs > 0) this.#after("sync", this.#syncIntervalMs, () => this.#sync());
    } catch (error) {
      this.#noteRefusal(error);
      const kept = batch.filter(({ entry }) => entry.onRefusal === "kept");
      this.#queue = [...kept, ...this.#queue];
      for (const { entry, resolve, reject } of batch) {
        if (entry.onRefusal === "kept") resolve();
        else reject(error);
      }
    }
  }

  #sync(): Promise<void> {
    return this.exclusively(async () => {
      try {
        await this.#segments.sync();
      } catch (error) {
        // After a failed sync the system may have dropped the pages, and the next sync would not say so again: what
        // follows goes to another file, and the damage, if any, stays in this one.
        this.#log.error("ledger_spool_sync_failed", { error });
        await this.#segments.seal().catch(() => {});
      }
    });
  }

  #after(name: "sync" | "retry", delayMs: number, action: () => Promise<void>): void {
    if (this.#timers.has(name) || this.#closing.signal.aborted) return;
    this.#timers.add(name);
    const run = async () => {
      try {
        await this.#clock.sleep(delayMs, this.#closing.signal);
      } catch {
        return;
      } finally {
        this.#timers.delete(name);
      }
      await action();
    };
    void run();
  }

  #noteRefusal(error: unknown): void {
    const was = this.#refusal;
    this.#refusal = error;
    if (error !== undefined && was === undefined) this.#log.error("ledger_spool_write_failed", { error });
    if (error === undefined && was !== undefined) this.#log.info("ledger_spool_write_recovered");
  }
}
