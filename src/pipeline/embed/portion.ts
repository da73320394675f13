import type { Deadline } from "../../core/deadline.ts";
import type { ModelWait } from "../call-model/job.ts";
import type { Charges } from "../charge.ts";
import { NobodyWaitsError } from "../flight.ts";
import type { TextWork } from "./work.ts";

/** Texts that are asked for together, as long as anybody waits for one of them. */
export class Portion {
  readonly #works: Set<TextWork>;
  readonly #abort = new AbortController();
  #wanted: number;
  /** Of one of those who wait, for what the turn needs to know. */
  readonly charges: Charges | undefined;
  /** The longest time that one of those who wait has: work for several goes on for as long as it helps one of them. */
  readonly deadline: Deadline = {
    remainingMs: () => this.works.reduce((longest, { remainingMs }) => Math.max(longest, remainingMs), 0),
  };

  constructor(works: readonly TextWork[]) {
    const wanted = works.filter(({ isWanted }) => isWanted);
    this.#works = new Set(wanted);
    this.charges = wanted[0]?.payer?.job.charges;
    this.#wanted = wanted.length;
    for (const work of this.#works) work.onUnwanted = () => this.#oneLess();
  }

  /** Those that somebody waits for. */
  get works(): readonly TextWork[] {
    return [...this.#works].filter(({ isWanted }) => isWanted);
  }

  /** Aborted when nobody waits any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** They are asked for elsewhere. */
  release(works: readonly TextWork[]): void {
    for (const work of works) if (this.#works.delete(work)) this.#oneLess();
  }

  waits(wait: ModelWait): void {
    for (const work of this.works) {
      work.wait = wait;
      for (const asker of [...work.askers]) asker.waits(wait);
    }
  }

  goesOn(): void {
    for (const work of this.#works) work.wait = undefined;
  }

  #oneLess(): void {
    this.#wanted -= 1;
    if (this.#wanted === 0) this.#abort.abort(new NobodyWaitsError());
  }
}
