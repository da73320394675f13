/** What the cache did for callers since the start of the process, beyond the counts of its layers. */
export class CacheTally {
  /** Calls that joined an identical one in this process. */
  joined = 0;
  /** Answers that were taken from an identical call in another process. */
  taken = 0;
  /** Answers that were made anew because the process that was making them went away. */
  takenOver = 0;
  /** What the answers cost that were given without paying for them, where it is known. */
  savedNanoUsd = 0n;
}
