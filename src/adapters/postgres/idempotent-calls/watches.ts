import type { Clock } from "../../../core/clock.ts";
import type { IdempotencyKey } from "../../../core/idempotency.ts";
import { storeUnavailable } from "./database.ts";
import type { IdempotentRows } from "./rows.ts";
import { untilAborted } from "./until-aborted.ts";

const SHORTEST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1000;

interface Watch {
  readonly key: IdempotencyKey;
  /** Resolves when the call that has the turn is over, or believed dead. */
  readonly over: Promise<void>;
  waiters: number;
  isWoken: boolean;
  nap: AbortController;
}

/**
 * Waits for the end of calls that other processes may be making. However many wait for one key, it is looked at once at a
 * time: 50 ms after the wait began, then ever less often, at least once a second.
 */
export class Watches {
  readonly #rows: IdempotentRows;
  readonly #clock: Clock;
  readonly #watches = new Map<string, Watch>();
  #isClosed = false;

  constructor(rows: IdempotentRows, clock: Clock) {
    this.#rows = rows;
    this.#clock = clock;
  }

  /**
   * Resolves when it is worth trying again to take the turn.
   * @throws SluiceError STORE_UNAVAILABLE; the signal's reason.
   */
  async wait(key: IdempotencyKey, signal: AbortSignal): Promise<void> {
    const watch = this.#watches.get(nameOf(key)) ?? this.#start(key);
    watch.waiters += 1;
    try {
      await untilAborted(watch.over, signal);
    } finally {
      watch.waiters -= 1;
      if (watch.waiters === 0) watch.nap.abort();
    }
  }

  /** The call with this key is over, as this process knows: whoever waits looks at once. */
  wake(key: IdempotencyKey): void {
    const watch = this.#watches.get(nameOf(key));
    if (!watch) return;
    watch.isWoken = true;
    watch.nap.abort();
  }

  close(): void {
    this.#isClosed = true;
    for (const { nap } of this.#watches.values()) nap.abort();
  }

  #start(key: IdempotencyKey): Watch {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const watch: Watch = { key, over: promise, waiters: 0, isWoken: false, nap: new AbortController() };
    this.#watches.set(nameOf(key), watch);
    // From its end on, who waits anew needs a new one.
    void this.#run(watch)
      .finally(() => this.#watches.delete(nameOf(key)))
      .then(resolve, reject);
    promise.catch(() => {});
    return watch;
  }

  async #run(watch: Watch): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    do {
      const waitedMs = this.#clock.monotonicMs() - startedMs;
      await this.#nap(watch, Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, waitedMs / 4)));
      if (this.#isClosed) throw storeUnavailable(new Error("the service stops"));
    } while (watch.waiters > 0 && (await this.#rows.isRunning(watch.key)));
  }

  async #nap(watch: Watch, ms: number): Promise<void> {
    // Whoever woke it while it looked cannot know whether it looked too early.
    if (!watch.isWoken && !this.#isClosed) {
      watch.nap = new AbortController();
      await this.#clock.sleep(ms, watch.nap.signal).catch(() => {});
    }
    watch.isWoken = false;
  }
}

function nameOf({ tenant, key }: IdempotencyKey): string {
  return JSON.stringify([tenant, key]);
}
