/** Thrown when a rule costs more than it may. Never leaves this folder. */
export class BudgetExceeded extends Error {}

/**
 * The work that rules may do, in steps of roughly a third of a microsecond: a loop pays for every turn by the size of
 * its body, and a function by what it reads. Once it is overdrawn every further step throws, so that loops which the
 * engine would carry on with (an error in `all` or `exists` does not end it) end at their next turn.
 */
export class Budget {
  #left = 0;

  /** Forgets what is left, and any debt. */
  clear(): void {
    this.#left = 0;
  }

  /** Adds to what is left; a debt is forgiven first. */
  grant(steps: number): void {
    this.#left = Math.max(this.#left, 0) + steps;
  }

  /** @throws BudgetExceeded */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new BudgetExceeded("the rule costs too much");
  }

  /** As `spend`, where it is too late to throw: the next step does. */
  charge(steps: number): void {
    this.#left -= steps;
  }

  get isOverdrawn(): boolean {
    return this.#left < 0;
  }
}
