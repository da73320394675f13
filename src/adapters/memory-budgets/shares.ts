/** Places that a tenant has for sure, however much others keep. */
const SURE_PLACES = 1_000;

/** What of the book names may take up, so that whoever makes up names crowds out only names of the same kind. */
export interface ShareLimits {
  /** Most names of a rule, tenant and period. */
  readonly maxNames: number;
  /** Most names of all tenants together, apart from those that tenants have for sure. */
  readonly maxBuckets: number;
}

/** Counts the names that have a bucket of their own. */
export class Shares {
  readonly #limits: ShareLimits;
  readonly #tenants = new Map<string, number>();
  /** By rule, tenant and period. */
  readonly #shares = new Map<string, number>();
  #total = 0;

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  /**
   * Whether one more name has room. A tenant may have as many as are still free: so it never takes more than half of
   * what the others left, and never the last ones.
   */
  hasRoom(tenant: string, share: string): boolean {
    const { maxNames, maxBuckets } = this.#limits;
    const ofTenant = this.#tenants.get(tenant) ?? 0;
    const isWithinTenant = ofTenant < Math.max(maxBuckets - this.#total, Math.min(SURE_PLACES, maxBuckets));
    return isWithinTenant && (this.#shares.get(share) ?? 0) < maxNames;
  }

  add(tenant: string, share: string): void {
    this.#count(tenant, share, 1);
  }

  remove(tenant: string, share: string): void {
    this.#count(tenant, share, -1);
  }

  #count(tenant: string, share: string, change: 1 | -1): void {
    this.#total += change;
    for (const [counts, key] of [[this.#tenants, tenant] as const, [this.#shares, share] as const]) {
      const count = (counts.get(key) ?? 0) + change;
      if (count === 0) counts.delete(key);
      else counts.set(key, count);
    }
  }
}
