/** One thing that is wrong with the configuration. Messages never quote values: they may be secrets. */
export interface Problem {
  /** Where, as `models.fast.fallbacks[0]`; empty for the file as a whole. */
  readonly path: string;
  /** What kind of rule is broken. */
  readonly rule: Rule;
  readonly message: string;
}

export type Rule =
  | "file"
  | "yaml"
  | "unknown_key"
  | "unsupported"
  | "required"
  | "type"
  | "min"
  | "max"
  | "enum"
  | "format"
  | "env"
  | "env_place"
  | "reference"
  | "cycle"
  | "duplicate"
  | "reserved"
  | "conflict";

/** All that is wrong with a configuration, at once. Its message is one line per problem, `path: message`. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(source: string, problems: readonly Problem[]) {
    super(problems.map(({ path, message }) => `${path || source}: ${message}`).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

export type Path = readonly (string | number)[];

/** `["models", "fast", "fallbacks", 0]` → `models.fast.fallbacks[0]`. Long keys are cut, for they are the file's words. */
export function pathText(path: Path): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index > 0 ? "." : ""}${shorten(key)}`))
    .join("");
}

export function problem(path: Path, rule: Rule, message: string): Problem {
  return { path: pathText(path), rule, message };
}

function shorten(key: string): string {
  const printable = key.replace(/\p{Cc}/gu, "?");
  return printable.length > 64 ? `${printable.slice(0, 63)}…` : printable;
}

/** Reads the value at a path, own properties only. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
