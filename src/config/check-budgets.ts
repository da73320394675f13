import { nearestNames } from "../core/nearest-names.ts";
import { type Path, type Problem, problem, valueAt } from "./problem.ts";

const LISTS = ["budgets", "rate_limits"] as const;

/** Budgets and limits that say nothing, never apply, or say the same as another. `raw` is the file as it was written. */
export function checkBudgets(raw: unknown): Problem[] {
  return [
    ...duplicates(raw, "budgets", { per: undefined, soft: false }),
    ...duplicates(raw, "rate_limits", {}),
    ...limitless(raw),
    ...LISTS.flatMap((list) => entriesOf(raw, list).flatMap((entry, index) => strangers(raw, [list, index], entry))),
  ];
}

/** `more` are the keys that tell entries apart besides those of all lists, with their defaults. */
function duplicates(raw: unknown, key: (typeof LISTS)[number], more: Readonly<Record<string, unknown>>): Problem[] {
  const seen = new Set<string>();
  return entriesOf(raw, key).flatMap((entry, index) => {
    const scope = valueAt(entry, ["scope"]);
    const only = valueAt(entry, ["only"]);
    const names = Array.isArray(only) ? [...new Set(only.map(String))].sort() : null;
    const identity = JSON.stringify([
      scope,
      valueAt(entry, ["tenant"]) ?? null,
      names,
      ...Object.entries(more).map(([name, otherwise]) => valueAt(entry, [name]) ?? otherwise ?? null),
    ]);
    const isAgain = scope !== undefined && seen.has(identity);
    seen.add(identity);
    const fields = ["scope", ...Object.keys(more), "tenant", "only"].join(", ");
    return isAgain ? [problem([key, index], "duplicate", `another entry has the same ${fields}`)] : [];
  });
}

function limitless(raw: unknown): Problem[] {
  return entriesOf(raw, "rate_limits").flatMap((entry, index) => {
    const isMapping = typeof entry === "object" && entry !== null && !Array.isArray(entry);
    const hasLimit = ["requests_per_minute", "tokens_per_minute"].some((key) => valueAt(entry, [key]) !== undefined);
    if (!isMapping || hasLimit) return [];
    return [problem(["rate_limits", index], "required", "needs requests_per_minute, tokens_per_minute or both")];
  });
}

/** Tenants and keys that no caller can have. Users and features are the callers' own words. */
function strangers(raw: unknown, path: Path, entry: unknown): Problem[] {
  const keys = keysOf(raw);
  const [scope, tenant] = [valueAt(entry, ["scope"]), valueAt(entry, ["tenant"])];
  const found: Problem[] = [];
  const tenants = keys.map((key) => key.tenant);
  if (typeof tenant === "string" && keys.length > 0 && !tenants.includes(tenant)) {
    found.push(
      problem([...path, "tenant"], "reference", missing("no key of auth.api_keys has this tenant", tenant, tenants)),
    );
  }
  const isOfTenants = scope === "tenant" && keys.length > 0;
  if (!isOfTenants && scope !== "key") return found;
  // What belongs to a tenant that nobody has was said above.
  const ids = keys.filter((key) => typeof tenant !== "string" || found.length > 0 || key.tenant === tenant);
  const names = ids.map((key) => (isOfTenants ? key.tenant : key.id));
  const message = isOfTenants
    ? "no key of auth.api_keys has this tenant"
    : `there is no such key in auth.api_keys${typeof tenant === "string" ? " of this tenant" : ""}`;
  const only = valueAt(entry, ["only"]);
  for (const [index, name] of (Array.isArray(only) ? only : []).entries()) {
    if (typeof name !== "string" || names.includes(name)) continue;
    found.push(problem([...path, "only", index], "reference", missing(message, name, names)));
  }
  return found;
}

function missing(message: string, name: string, names: readonly string[]): string {
  const [nearest] = nearestNames(name, new Set(names));
  return `${message}${nearest === undefined ? "" : `; the nearest is ${nearest}`}`;
}

function keysOf(raw: unknown): { readonly id: string; readonly tenant: string }[] {
  const keys = valueAt(raw, ["auth", "api_keys"]);
  return (Array.isArray(keys) ? keys : []).map((key: unknown) => ({
    id: String(valueAt(key, ["id"])),
    tenant: String(valueAt(key, ["tenant"])),
  }));
}

function entriesOf(raw: unknown, key: (typeof LISTS)[number]): readonly unknown[] {
  const list = valueAt(raw, [key]);
  return Array.isArray(list) ? list : [];
}
