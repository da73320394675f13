import type * as z from "zod";
import { nearestNames } from "../core/nearest-names.ts";
import { knownNames } from "./keys.ts";
import { type Path, type Problem, pathText, valueAt } from "./problem.ts";
import { configSchema, type ParsedConfig } from "./schema.ts";

export interface Parsed {
  /** What is left after everything that is wrong was taken out, so that checks across keys can go on. */
  readonly config: ParsedConfig;
  readonly problems: readonly Problem[];
}

/**
 * Checks keys and types against the schema. `reported` are the paths (as text) that have a problem already, and are not
 * reported again for missing the value that was left out.
 */
export function parseConfig(raw: unknown, reported: ReadonlySet<string>): Parsed {
  let input = raw;
  let problems: readonly Problem[] | undefined;
  for (;;) {
    const result = configSchema.safeParse(input);
    if (result.success) return { config: result.data, problems: problems ?? [] };
    const { issues } = result.error;
    problems ??= issues.flatMap((issue) => problemsOf(issue, raw)).filter(({ path }) => !reported.has(path));
    // Each round takes at least one value out, and a mapping without values is valid: the loop ends.
    input = issues.reduce((value, issue) => withoutCause(value, issue), input);
  }
}

type Issue = z.core.$ZodIssue;

function pathOf(issue: Issue): Path {
  return issue.path.map((key) => (typeof key === "number" ? key : String(key)));
}

function withoutCause(input: unknown, issue: Issue): unknown {
  const path = pathOf(issue);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.reduce((value, key) => withoutPath(value, [...path, key]), input);
  }
  // What is required and missing cannot be taken out: the section that needs it goes.
  const missing = valueAt(input, path) === undefined;
  return withoutPath(input, missing ? path.slice(0, -1) : path);
}

/** A copy without the value at the path. Of a list nothing is taken out, since later indexes would shift: it goes as a whole. */
function withoutPath(input: unknown, path: Path): unknown {
  const [key, ...rest] = path;
  if (key === undefined || typeof input !== "object" || input === null) return {};
  const copy = Object.entries(input).flatMap(([name, child]): [string, unknown][] => {
    if (name !== String(key)) return [[name, child]];
    return rest.length === 0 || Array.isArray(child) ? [] : [[name, withoutPath(child, rest)]];
  });
  return Object.fromEntries(copy);
}

function problemsOf(issue: Issue, raw: unknown): Problem[] {
  const path = pathOf(issue);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key));
  return [{ path: pathText(path), ...ruleOf(issue, valueAt(raw, path)) }];
}

function unknownKey(section: Path, key: string): Problem {
  const path = pathText([...section, key]);
  const [nearest] = nearestNames(key, knownNames(section));
  const hint = nearest === undefined ? "" : `; the nearest is ${nearest}`;
  return { path, rule: "unknown_key", message: `there is no such key${hint}` };
}

function ruleOf(issue: Issue, value: unknown): Pick<Problem, "rule" | "message"> {
  if (value === undefined) return { rule: "required", message: "is required" };
  switch (issue.code) {
    case "invalid_type":
      return { rule: "type", message: `must be ${typeNames[issue.expected] ?? issue.expected}, is ${typeOf(value)}` };
    case "too_small":
      return { rule: "min", message: `must ${bound(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin)}` };
    case "too_big":
      return { rule: "max", message: `must ${bound(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin)}` };
    case "invalid_value":
      return { rule: "enum", message: `must be one of ${issue.values.join(", ")}` };
    case "invalid_key":
      return { rule: "format", message: `the name ${issue.issues[0]?.message ?? "cannot be used"}` };
    default:
      return { rule: "format", message: issue.message };
  }
}

function bound(origin: string): string {
  return origin === "string" || origin === "array" ? "have" : "be";
}

function unitOf(origin: string): string {
  return origin === "string" ? " characters" : origin === "array" ? " entries" : "";
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

function typeOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "boolean") return `the word ${value}`;
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : "a number with a fraction";
  return "text";
}
