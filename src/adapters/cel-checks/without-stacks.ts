/**
 * Runs something without recording where its errors are made, and gives back what it gives. A rule may fail thousands of
 * times inside of its loops, and recording a stack costs more than all else together. For synchronous work alone: nobody
 * else runs meanwhile, and the limit is put back before anybody does.
 */
export function withoutStacks<T>(work: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
