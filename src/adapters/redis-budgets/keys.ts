import { createHash } from "node:crypto";
import type { MoneyBucket, RateBucket } from "../memory-budgets/book.ts";

/** The braces make a cluster place everything of a tenant in one slot, so that one script can change it. */
function tenantKey(tenant: string): string {
  return `sluice:budget:{${tenant}}`;
}

/** Names are the callers' own words, of any length: keys hold their hashes. */
function nameKey({ name, isOverflow }: { readonly name: string; readonly isOverflow: boolean }): string {
  return isOverflow ? "overflow" : createHash("sha256").update(name).digest("hex").slice(0, 32);
}

/** A budget's bucket, its reservations, and the count of the names that have a bucket. */
export function moneyKeys(bucket: MoneyBucket): [bucket: string, open: string, names: string] {
  const budget = `${tenantKey(bucket.tenant)}:${bucket.rule.key}:${bucket.period.key}`;
  const key = `${budget}:${nameKey(bucket)}`;
  return [key, `${key}:open`, `${budget}:names`];
}

export function rateKey(bucket: RateBucket): string {
  return `${tenantKey(bucket.tenant)}:${bucket.rule.key}:${nameKey(bucket)}`;
}

/** Where the last batch of a process is remembered. */
export function sequenceKey(tenant: string, process: string): string {
  return `${tenantKey(tenant)}:settled:${process}`;
}
