export const MINUTE_MS = 60_000;

/** How full a bucket is that leaks evenly: in units times 60,000, so that what leaks in a millisecond is an integer. */
export interface Level {
  level: number;
  /** When that was, in milliseconds of any clock. */
  atMs: number;
}

/** What is left at `nowMs` of a bucket that loses `perMinute` units a minute. A clock that steps back leaks nothing. */
export function levelAt({ level, atMs }: Level, perMinute: number, nowMs: number): number {
  return Math.max(0, level - Math.max(0, Math.floor(nowMs) - Math.floor(atMs)) * perMinute);
}

/** How long until `units` more fit, in milliseconds; 0: they fit now. A bucket holds a minute's worth. */
export function waitMs(levelNow: number, units: number, perMinute: number): number {
  const tooMuch = levelNow + units * MINUTE_MS - perMinute * MINUTE_MS;
  return tooMuch <= 0 ? 0 : Math.ceil(tooMuch / perMinute);
}

/** Adds (or, below 0, takes back) units. */
export function add(bucket: Level, units: number, perMinute: number, nowMs: number): void {
  bucket.level = Math.min(Math.max(0, levelAt(bucket, perMinute, nowMs) + units * MINUTE_MS), Number.MAX_SAFE_INTEGER);
  bucket.atMs = Math.max(Math.floor(bucket.atMs), Math.floor(nowMs));
}
