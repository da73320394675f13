/** The calls that have begun and are not yet in the ledger. The end of the service waits for them. */
export class ActiveCalls {
  readonly #idle = new Set<() => void>();
  #count = 0;

  /** A call begins; the returned function, called once, ends it. */
  enter(): () => void {
    this.#count += 1;
    return () => {
      this.#count -= 1;
      if (this.#count > 0) return;
      for (const resolve of this.#idle) resolve();
      this.#idle.clear();
    };
  }

  /** Resolves when no call is active, at the latest after `timeoutMs`. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.add(resolve);
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    this.#idle.delete(resolve);
  }
}
