import type { CheckFacts } from "../../core/semantic-check.ts";
import { Budget, BudgetExceeded } from "./budget.ts";
import { SourceTexts, textsIn } from "./source-texts.ts";

/** What the functions of rules need while an answer is checked. Checking is synchronous, so one at a time is enough. */
export class Evaluation {
  readonly budget = new Budget();
  #facts: CheckFacts | undefined;
  #ids: ReadonlySet<string> | undefined;
  #sources: SourceTexts | BudgetExceeded | undefined;

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
    }
  }

  get chunkIds(): ReadonlySet<string> {
    this.#ids ??= new Set(this.#facts?.chunks.map(({ id }) => id));
    return this.#ids;
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
    return new SourceTexts(sourceTexts(facts));
  } catch (error) {
    if (error instanceof BudgetExceeded) return error;
    throw error;
  }
}

function* sourceTexts(facts: CheckFacts | undefined): Generator<string> {
  for (const { text } of facts?.chunks ?? []) yield text;
  yield* textsIn(facts?.input);
}
