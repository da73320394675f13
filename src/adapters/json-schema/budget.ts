/** Thrown when a validation costs more than it may. Never leaves this folder. */
export class BudgetExceeded extends Error {}

/**
 * The work that one validation may do, in steps of roughly a quarter of a microsecond. A schema of a few hundred bytes can
 * ask for exponential work (references that fan out and meet again), so a limit on sizes alone would not do.
 */
export class Budget {
  #left = 0;

  refill(steps: number): void {
    this.#left = steps;
  }

  /** @throws BudgetExceeded */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new BudgetExceeded();
  }
}
