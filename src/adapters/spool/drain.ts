import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { type LedgerStore, storeIsolating } from "./ledger-store.ts";
import type { Segment } from "./segment-file.ts";
import { readBatch } from "./segment-reader.ts";
import type { Spool } from "./spool.ts";

export interface DrainPorts {
  readonly spool: Spool;
  readonly store: Promise<LedgerStore>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long new records gather before they are stored, so that calls of one moment share a transaction. */
const GATHER_MS = 100;
/** How often the drain looks whether the current segment has become old, while nothing else happens. */
const IDLE_MS = 1000;
const BACKOFF_BASE_MS = 250;
const BACKOFF_MAX_MS = 10_000;

/** Up to where the oldest segment is stored. */
interface Position {
  readonly segment: Segment;
  readonly offset: number;
  readonly records: number;
}

/**
 * Carries the spool to the store, oldest record first. Where it stands is not written down: after a crash the segments
 * that are still there are stored again, which changes nothing in the store.
 */
export class Drain {
  readonly #ports: DrainPorts;
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #position: Position | undefined;
  #failures = 0;
  #lastError: unknown;
  #lastDrainAt: Date | undefined;
  #completeUntilMs: number | undefined;

  constructor(ports: DrainPorts) {
    this.#ports = ports;
  }

  get lastError(): unknown {
    return this.#lastError;
  }

  get lastDrainAt(): Date | undefined {
    return this.#lastDrainAt;
  }

  /** Everything that was recorded before is stored or set aside. Absent until the store has caught up once. */
  get completeUntilMs(): number | undefined {
    return this.#completeUntilMs;
  }

  /** Records of the oldest segment that are stored already. */
  get storedRecords(): number {
    return this.#position?.records ?? 0;
  }

  /** Ends a wait early: something was recorded, or somebody waits for the store to catch up. */
  wake(): void {
    this.#wake.abort();
  }

  /** Makes `run` return after the batch that is under way. */
  stop(): void {
    this.#stop.abort();
  }

  /** Works until stopped. Never throws: an error is logged once and the work tried again. */
  async run(): Promise<void> {
    const store = await this.#storeOrStop();
    if (!store) return;
    while (!this.#stop.signal.aborted) {
      try {
        this.#wake = new AbortController();
        const progressed = await this.#step(store);
        this.#noteSuccess(progressed);
        if (!progressed && (await this.#sleep(IDLE_MS, this.#wake.signal)) === "woken") await this.#sleep(GATHER_MS);
      } catch (error) {
        this.#noteFailure(error);
        await this.#sleep(this.#backoffMs());
      }
    }
  }

  /** After `run` has returned: deletes what is stored, as far as that goes without the store. */
  async removeStored(): Promise<void> {
    const { spool } = this.#ports;
    await spool.seal();
    const position = this.#position;
    if (!position || position.offset < position.segment.bytes) return;
    await spool.remove(position.segment);
    this.#position = undefined;
  }

  /** One batch stored, or one segment deleted. False when there was nothing to do. */
  async #step(store: LedgerStore): Promise<boolean> {
    const { spool, clock } = this.#ports;
    const lookedAtMs = clock.nowMs();
    const segment = await spool.oldest();
    if (!segment) {
      this.#position = undefined;
      this.#completeUntilMs = lookedAtMs;
      return false;
    }
    if (this.#position?.segment !== segment) this.#position = { segment, offset: 0, records: 0 };
    if (this.#position.offset < segment.bytes) {
      await this.#storeBatch(store, this.#position);
      return true;
    }
    if (segment.sealed) {
      await spool.remove(segment);
      this.#position = undefined;
      return true;
    }
    this.#completeUntilMs = lookedAtMs;
    if (!spool.isAged) return false;
    await spool.seal();
    return true;
  }

  async #storeBatch(store: LedgerStore, from: Position): Promise<void> {
    const { spool } = this.#ports;
    const { segment, offset } = from;
    const { bytes, sealed } = segment;
    const readAtMs = this.#ports.clock.nowMs();
    const batch = await readBatch(segment.path, offset, segment.bytes);
    await storeIsolating(store, batch.records, (record, refusal) =>
      spool.setAside(segment, [{ reason: "refused_by_store", detail: refusal.message, record }]),
    );
    await spool.setAside(
      segment,
      batch.damaged.map((line) => ({
        reason: line.damage,
        offset: line.offset,
        bytes_base64: line.bytes.toString("base64"),
      })),
    );
    const records = from.records + batch.records.length + batch.damaged.length;
    this.#position = { segment, offset: batch.nextOffset, records };
    this.#lastDrainAt = new Date(this.#ports.clock.nowMs());
    // Under load the end is never seen at rest: what was there when the batch was read is stored all the same.
    if (!sealed && batch.nextOffset >= bytes) this.#completeUntilMs = readAtMs;
  }

  async #storeOrStop(): Promise<LedgerStore | undefined> {
    const stopped = new Promise<undefined>((resolve) => {
      this.#stop.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    try {
      return await Promise.race([this.#ports.store, stopped]);
    } catch (error) {
      this.#noteFailure(error);
      return undefined;
    }
  }

  async #sleep(ms: number, wake?: AbortSignal): Promise<"slept" | "woken"> {
    const { signal } = this.#stop;
    try {
      await this.#ports.clock.sleep(ms, wake ? AbortSignal.any([signal, wake]) : signal);
      return "slept";
    } catch {
      return "woken";
    }
  }

  #backoffMs(): number {
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(this.#failures, 10));
    return ceiling * (0.5 + this.#ports.clock.random() / 2);
  }

  #noteSuccess(progressed: boolean): void {
    if (!progressed || this.#lastError === undefined) return;
    this.#ports.log.info("ledger_store_back", { failures: this.#failures });
    this.#failures = 0;
    this.#lastError = undefined;
  }

  #noteFailure(error: unknown): void {
    if (this.#lastError === undefined) this.#ports.log.error("ledger_store_away", { error });
    this.#failures += 1;
    this.#lastError = error;
  }
}
