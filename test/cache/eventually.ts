import { setTimeout as pause } from "node:timers/promises";

/** Longer than anything takes that is meant to come, also on a busy machine. */
export const PATIENCE_MS = 30_000;

/** Asks again until there is an answer. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const endAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endAt) throw new Error("what was waited for did not come");
    await pause(10);
  }
}
