/** Where invalidations are announced. */
export const INVALIDATIONS = "sluice:invalidations";

/** What SCAN is asked for; `isEntryKey` decides. */
export const ENTRY_PATTERN = "sluice:{*}";

/**
 * The braces make a cluster place all that Sluice ever stores for one key in one slot: no command or script names keys
 * of two. Redis Cluster itself is not supported: the client talks to one node, which would answer MOVED for the slots of
 * others, and a purge looks through that node alone.
 */
export function entryKey(key: string): string {
  return `sluice:{${key}}`;
}

export function leaseKey(key: string): string {
  return `${entryKey(key)}:lease`;
}

/** The key (SHA-256 in hex) in the name of an entry; `undefined` for leases and what other programs store. */
export function keyOfEntry(name: string): string | undefined {
  return /^sluice:\{([0-9a-f]{64})\}$/.exec(name)?.[1];
}
