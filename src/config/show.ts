import { keyAt } from "./keys.ts";
import type { Path } from "./problem.ts";
import type { Config } from "./schema.ts";

/** The effective configuration as plain values, secrets replaced by `***`. */
export function shownConfig(config: Config): unknown {
  return shown(config, []);
}

function shown(value: unknown, path: Path): unknown {
  if (Array.isArray(value)) return value.map((item, index) => shown(item, [...path, index]));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, shown(child, [...path, key])]));
  }
  return value !== undefined && keyAt(path)?.secret ? "***" : value;
}
