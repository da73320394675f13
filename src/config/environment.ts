import { keyAt } from "./keys.ts";
import { type Path, type Problem, pathText } from "./problem.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Replaced {
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

/** What stands in the file for an environment variable. */
export function environmentReference(name: string): string {
  return `\${${name}}`;
}

const reference = /^\$\{([A-Za-z_][A-Za-z0-9_]{0,127})\}$/;

/**
 * Replaces `${NAME}` where it is the whole value of a key that allows it. A value from the environment is taken as it
 * is: nothing in it is replaced again. Wherever a problem is reported the value is left out.
 */
export function replaceEnvironment(raw: unknown, env: Environment): Replaced {
  const problems: Problem[] = [];
  const replace = (value: unknown, path: Path): unknown => {
    if (typeof value === "string") return replaceText(value, path, env, problems);
    if (Array.isArray(value)) return value.map((item, index) => replace(item, [...path, index]));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, replace(child, [...path, key])]));
  };
  return { value: replace(raw, []), problems };
}

function replaceText(text: string, path: Path, env: Environment, problems: Problem[]): string | undefined {
  if (!text.includes("${")) return text;
  const name = reference.exec(text)?.[1];
  const report = (rule: "env" | "env_place", message: string) => {
    problems.push({ path: pathText(path), rule, message });
    return undefined;
  };
  const key = keyAt(typeof path.at(-1) === "number" ? path.slice(0, -1) : path);
  // A key that does not exist is reported as such, once.
  if (key === undefined) return text;
  if (!key.env) return report("env_place", "environment variables are not replaced here");
  if (name === undefined) return report("env_place", `must be the whole value: ${environmentReference("NAME")}`);
  const value = env[name];
  // An empty variable is what a deployment that forgot the value sets; no key that allows one may be empty.
  if (value === undefined || value === "") return report("env", `the environment variable ${name} is not set`);
  return value;
}
