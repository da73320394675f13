export interface FairSlotsOptions {
  /** How many may be taken at once. */
  readonly slots: number;
  /** How many of them one key may have at once. */
  readonly perKey: number;
  /** Longest that one waits for a slot, in milliseconds; 0: nobody waits. */
  readonly waitMs: number;
  /** Most that wait of one key. */
  readonly maxWaitingPerKey: number;
  /** Most that wait of all keys. */
  readonly maxWaiting: number;
}

/** Gives a slot back. To be called once. */
export type Release = () => void;

interface Waiting {
  readonly start: (release: Release | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

/** Slots that no key can take all of. Keys that wait get the free ones by turns, each key its own in their order. */
export class FairSlots {
  readonly #options: FairSlotsOptions;
  readonly #taken = new Map<string, number>();
  /** In the order of their turns; no key without anyone that waits. */
  readonly #waiting = new Map<string, Set<Waiting>>();
  #takenCount = 0;
  #waitingCount = 0;

  constructor(options: FairSlotsOptions) {
    this.#options = options;
  }

  /** Undefined where no slot is free in time, or too many wait already. */
  async take(key: string): Promise<Release | undefined> {
    if (this.#isFree(key)) return this.#give(key);
    const { waitMs, maxWaiting, maxWaitingPerKey } = this.#options;
    const ofKey = this.#waiting.get(key) ?? new Set();
    if (waitMs <= 0 || this.#waitingCount >= maxWaiting || ofKey.size >= maxWaitingPerKey) return undefined;
    return new Promise((start) => {
      const timer = setTimeout(() => {
        this.#forget(key, waiting);
        start(undefined);
      }, waitMs);
      const waiting: Waiting = { start, timer };
      this.#waiting.set(key, ofKey.add(waiting));
      this.#waitingCount += 1;
    });
  }

  #isFree(key: string): boolean {
    const { slots, perKey } = this.#options;
    return this.#takenCount < slots && (this.#taken.get(key) ?? 0) < perKey;
  }

  #give(key: string): Release {
    this.#takenCount += 1;
    this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
    return () => {
      this.#takenCount -= 1;
      const left = (this.#taken.get(key) ?? 0) - 1;
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
      this.#next();
    };
  }

  #next(): void {
    for (const [key, ofKey] of this.#waiting) {
      const [first] = ofKey;
      if (!first || !this.#isFree(key)) continue;
      clearTimeout(first.timer);
      this.#forget(key, first);
      // Its next one waits for the turns of all others.
      if (this.#waiting.delete(key)) this.#waiting.set(key, ofKey);
      first.start(this.#give(key));
      return;
    }
  }

  #forget(key: string, waiting: Waiting): void {
    const ofKey = this.#waiting.get(key);
    if (!ofKey?.delete(waiting)) return;
    this.#waitingCount -= 1;
    if (ofKey.size === 0) this.#waiting.delete(key);
  }
}
