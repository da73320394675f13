import { type CacheFilter, type CacheTags, fitsFilter, type Invalidation } from "../core/cache.ts";
import type { Clock } from "../core/clock.ts";

/** Purges are rare; of so many the filters are remembered. */
const MAX_PURGES = 256;
/** Of so many keys it is remembered that their answers were replaced. */
const MAX_REFRESHED = 1_000;

/** News of a purge may come so late, from a process that has purged the shared layer long before. */
const NEWS_DELAY_MS = 10_000;
/** Of so many answers it is remembered that they were stored within that time. */
const MAX_STORED = 10_000;

/**
 * What was invalidated lately, here or by another process. What was read or made from before must not come back after
 * it: a copy on its way into memory, an answer whose making began before a purge, or one that was stored behind the back
 * of a purge of which the news has not come yet.
 */
export class Invalidations {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #count = 0;
  readonly #purges: { readonly count: number; readonly filter: CacheFilter }[] = [];
  /** Purges up to this one are forgotten. */
  #forgottenCount = 0;
  /** By key, oldest first. */
  readonly #refreshed = new Map<string, number>();
  /** By key, oldest first. */
  readonly #stored = new Map<string, { readonly tags: CacheTags; readonly atMs: number }>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** A mark to compare with later. */
  get count(): number {
    return this.#count;
  }

  add(invalidation: Invalidation): void {
    this.#count += 1;
    if (invalidation.kind === "key") {
      this.#refreshed.delete(invalidation.key);
      this.#refreshed.set(invalidation.key, this.#count);
      const [oldest] = this.#refreshed.keys();
      if (this.#refreshed.size > MAX_REFRESHED && oldest !== undefined) this.#refreshed.delete(oldest);
      return;
    }
    this.#purges.push({ count: this.#count, filter: invalidation.filter });
    if (this.#purges.length > MAX_PURGES) this.#forgottenCount = this.#purges.shift()?.count ?? 0;
  }

  /** Whether an answer that was begun at the mark would have been purged since, or was replaced by a newer one. */
  isStale(key: string, tags: CacheTags, count: number): boolean {
    return (this.#refreshed.get(key) ?? 0) > count || this.purgedSince(count, tags);
  }

  /** Whether an answer that was begun at the mark would have been purged since. In doubt it would. */
  purgedSince(count: number, tags: CacheTags): boolean {
    if (count < this.#forgottenCount) return true;
    return this.#purges.some((purge) => purge.count > count && fitsFilter(tags, purge.filter));
  }

  /** An answer is about to be stored in the shared layer. */
  storing(key: string, tags: CacheTags): void {
    this.#stored.delete(key);
    this.#stored.set(key, { tags, atMs: this.#clock.monotonicMs() });
    for (const [oldest, { atMs }] of this.#stored) {
      if (this.#stored.size <= MAX_STORED && this.#clock.monotonicMs() - atMs <= NEWS_DELAY_MS) break;
      this.#stored.delete(oldest);
    }
  }

  /** Keys of answers that were stored so lately that a purge elsewhere may have passed them by, and that it means. */
  storedLately(filter: CacheFilter): string[] {
    const sinceMs = this.#clock.monotonicMs() - NEWS_DELAY_MS;
    return [...this.#stored]
      .filter(([, { tags, atMs }]) => atMs >= sinceMs && fitsFilter(tags, filter))
      .map(([key]) => key);
  }
}
