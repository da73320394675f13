import { type Problem, problem, valueAt } from "./problem.ts";

/** Budgets and limits that say nothing, or say the same as another. `raw` is the file as it was written. */
export function checkBudgets(raw: unknown): Problem[] {
  return [...checkList(raw, "budgets", ["per"]), ...checkList(raw, "rate_limits", []), ...limitless(raw)];
}

function checkList(raw: unknown, key: string, more: readonly string[]): Problem[] {
  const list = valueAt(raw, [key]);
  if (!Array.isArray(list)) return [];
  const seen = new Set<string>();
  return list.flatMap((entry: unknown, index) => {
    const scope = valueAt(entry, ["scope"]);
    const only = valueAt(entry, ["only"]);
    const names = Array.isArray(only) ? [...new Set(only.map(String))].sort() : null;
    const identity = JSON.stringify([
      scope,
      valueAt(entry, ["tenant"]) ?? null,
      names,
      ...more.map((name) => valueAt(entry, [name])),
    ]);
    const isAgain = scope !== undefined && seen.has(identity);
    seen.add(identity);
    const fields = ["scope", ...more, "tenant", "only"].join(", ");
    return isAgain ? [problem([key, index], "duplicate", `another entry has the same ${fields}`)] : [];
  });
}

function limitless(raw: unknown): Problem[] {
  const list = valueAt(raw, ["rate_limits"]);
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index) => {
    const isMapping = typeof entry === "object" && entry !== null && !Array.isArray(entry);
    const hasLimit = ["requests_per_minute", "tokens_per_minute"].some((key) => valueAt(entry, [key]) !== undefined);
    if (!isMapping || hasLimit) return [];
    return [problem(["rate_limits", index], "required", "needs requests_per_minute, tokens_per_minute or both")];
  });
}
