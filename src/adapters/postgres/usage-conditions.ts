import type { UsageFilter } from "../../core/usage.ts";

/** The values of a statement, in the order in which its text names them. */
export class Parameters {
  readonly values: unknown[] = [];

  /** Keeps a value and returns how the text names it. */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

type ListName = Exclude<keyof UsageFilter, "synthetic">;

const columns: Readonly<Record<ListName, string>> = {
  features: "feature",
  users: "user_id",
  models: "model",
  promptNames: "prompt_name",
  promptVersions: "prompt_version",
  errorReasons: "error_reason",
  cacheStatuses: "cache_status",
};

/** What a filter asks of rows that have the columns it names. */
export function filterConditions(filter: UsageFilter, parameters: Parameters): string[] {
  const { synthetic, ...lists } = filter;
  const conditions = Object.entries(columns).flatMap(([name, column]) => {
    const values = lists[name as ListName];
    return values.length === 0 ? [] : [`${column} = ANY(${parameters.add(values, "text[]")})`];
  });
  if (synthetic !== undefined) conditions.push(`synthetic = ${parameters.add(synthetic, "boolean")}`);
  return conditions;
}

export function timeConditions(
  column: string,
  { tenant, fromMs, toMs }: { readonly tenant?: string; readonly fromMs: number; readonly toMs: number },
  parameters: Parameters,
): string[] {
  const at = (ms: number) => parameters.add(new Date(ms).toISOString(), "timestamptz");
  return [
    ...(tenant === undefined ? [] : [`tenant = ${parameters.add(tenant, "text")}`]),
    `${column} >= ${at(fromMs)}`,
    `${column} < ${at(toMs)}`,
  ];
}
