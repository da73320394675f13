import { type CelValue, celList, celMap } from "@bufbuild/cel";
import { BudgetExceeded } from "./budget.ts";

/**
 * Most values that an answer, its input and its chunks may have together where a rule looks at them. The engine would
 * convert JSON anew at every access, so it is converted once, and all of it; more could block for too long. Far more
 * than fits into the longest answers of models.
 */
const MAX_VALUES = 50_000;

/** Turns JSON values into the engine's. Numbers become doubles. */
export class JsonValues {
  #left = MAX_VALUES;

  /** @throws BudgetExceeded */
  convert(value: unknown): CelValue {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null) {
      this.#count(1);
      return value;
    }
    if (Array.isArray(value)) {
      this.#count(1);
      return celList(value.map((item: unknown) => this.convert(item)));
    }
    if (typeof value !== "object") throw new TypeError(`not a JSON value: ${typeof value}`);
    this.#count(1);
    const members = new Map<string, CelValue>();
    for (const [key, member] of Object.entries(value)) members.set(key, this.convert(member));
    // The engine's own goes through all keys to find a number, and members have none.
    const get = (key: unknown) => (typeof key === "string" ? members.get(key) : undefined);
    return Object.assign(celMap(members), { get });
  }

  #count(values: number): void {
    this.#left -= values;
    if (this.#left < 0) throw new BudgetExceeded(`there are more than ${MAX_VALUES} values to look at`);
  }
}
