import { type CacheFilter, type CacheTags, fitsFilter, type Invalidation } from "../core/cache.ts";

/** Purges are rare; of so many the filters are remembered. */
const MAX_PURGES = 256;

/**
 * What was invalidated lately, here or by another process. What was read or made from before must not come back after
 * it: a copy on its way into memory, or an answer whose making began before a purge.
 */
export class Invalidations {
  #count = 0;
  readonly #purges: { readonly count: number; readonly filter: CacheFilter }[] = [];
  /** Purges up to this one are forgotten. */
  #forgottenCount = 0;

  /** A mark to compare with later. */
  get count(): number {
    return this.#count;
  }

  add(invalidation: Invalidation): void {
    this.#count += 1;
    if (invalidation.kind !== "purge") return;
    this.#purges.push({ count: this.#count, filter: invalidation.filter });
    if (this.#purges.length > MAX_PURGES) this.#forgottenCount = this.#purges.shift()?.count ?? 0;
  }

  /** Whether an answer that was begun at the mark would have been purged since. In doubt it would. */
  purgedSince(count: number, tags: CacheTags): boolean {
    if (count < this.#forgottenCount) return true;
    return this.#purges.some((purge) => purge.count > count && fitsFilter(tags, purge.filter));
  }
}
