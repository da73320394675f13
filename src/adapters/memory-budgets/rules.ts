import { createHash } from "node:crypto";
import type { BudgetPayer, BudgetRule, BudgetTarget, RateRule } from "../../core/budgets.ts";

/** A rule with what is found out once. */
export interface Compiled<R extends BudgetRule | RateRule> {
  readonly rule: R;
  /** Says which rule it is, over restarts and in every process: whom it is for and what it counts, not how much. */
  readonly key: string;
  readonly only?: ReadonlySet<string>;
}

/** Rules that say the same of the same names, as a key's own limit and one for all keys may, are told apart. */
export function compileRules<R extends BudgetRule | RateRule>(rules: readonly R[]): Compiled<R>[] {
  const seen = new Map<string, number>();
  return rules.map((rule) => {
    const counted = "per" in rule ? rule.per : rule.unit;
    const only = rule.only && [...new Set(rule.only)].sort();
    const identity = JSON.stringify([rule.scope, counted, rule.tenant ?? null, only ?? null]);
    const times = seen.get(identity) ?? 0;
    seen.set(identity, times + 1);
    const key = createHash("sha256").update(`${identity}${times}`).digest("hex").slice(0, 16);
    return { rule, key, ...(only && { only: new Set(only) }) };
  });
}

/** Whether the configuration bounds the names, so that nobody can make them up. */
export function isBounded({ rule, only }: Compiled<BudgetRule | RateRule>): boolean {
  return only !== undefined || rule.scope === "tenant" || rule.scope === "key";
}

/** The name of the payer in the scope of a rule that holds for it; `undefined` where none does. */
export function nameIn({ rule, only }: Compiled<BudgetRule | RateRule>, payer: BudgetPayer): string | undefined {
  if (rule.tenant !== undefined && rule.tenant !== payer.tenant) return undefined;
  const name = nameOf(rule, payer);
  return only && !only.has(name) ? undefined : name;
}

function nameOf({ scope }: BudgetTarget, payer: BudgetPayer): string {
  switch (scope) {
    case "tenant":
      return payer.tenant;
    case "user":
      return payer.user;
    case "feature":
      return payer.feature;
    case "key":
      return payer.keyId;
  }
}
