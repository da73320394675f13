import type { CheckFacts } from "../../core/semantic-check.ts";
import { Budget, BudgetExceeded } from "./budget.ts";
import { Zones } from "./functions/zones.ts";
import { SourceTexts, searchedTexts } from "./source-texts.ts";

/** What the functions of rules need while an answer is checked. Checking is synchronous, so one at a time is enough. */
export class Evaluation {
  readonly budget = new Budget();
  #facts: CheckFacts | undefined;
  #ids: ReadonlySet<string> | undefined;
  #sources: SourceTexts | BudgetExceeded | undefined;
  #zones: Zones | undefined;

  /** Runs `check` over these facts and keeps nothing of them afterwards. */
  over<T>(facts: CheckFacts, check: () => T): T {
    this.budget.clear();
    this.#facts = facts;
    try {
      return check();
    } finally {
      this.#facts = undefined;
      this.#ids = undefined;
      this.#sources = undefined;
      this.#zones = undefined;
    }
  }

  /** Runs something of a rule that no answer has a part in, with so many steps. */
  alone<T>(steps: number, work: () => T): T {
    return this.over({ output: null, input: {}, said: [], chunks: [] }, () => {
      this.budget.grant(steps);
      return work();
    });
  }

  get chunkIds(): ReadonlySet<string> {
    this.#ids ??= new Set(this.#facts?.chunks.map(({ id }) => id));
    return this.#ids;
  }

  get zones(): Zones {
    this.#zones ??= new Zones(this.budget);
    return this.#zones;
  }

  /** @throws BudgetExceeded where there is too much text. */
  get sources(): SourceTexts {
    this.#sources ??= collectSources(this.#facts);
    if (this.#sources instanceof BudgetExceeded) throw this.#sources;
    return this.#sources;
  }
}

/** Too much text is found out once, not at every turn of a loop. */
function collectSources(facts: CheckFacts | undefined): SourceTexts | BudgetExceeded {
  try {
    return new SourceTexts(facts ? searchedTexts(facts) : []);
  } catch (error) {
    if (error instanceof BudgetExceeded) return error;
    throw error;
  }
}
