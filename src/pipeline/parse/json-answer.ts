import type { JsonSchema, SchemaViolation } from "../../core/json-schema.ts";
import type { Answer, ParsedAnswer } from "./answer.ts";
import { choose, isSame } from "./choose.ts";
import { Unreadable } from "./cursor.ts";
import type { ReadValue } from "./read-value.ts";
import { leadingReasoningEnd } from "./reasoning.ts";
import type { Repair } from "./repair.ts";
import { scan } from "./scan.ts";
import { readEscapedQuotes, readWhole } from "./whole.ts";

const MAX_GOT = 80;
/** Broken values in reasoning that are passed over; each may have been read to the end of the text. */
const MAX_PROBLEMS = 8;

/** Values found in an answer, with the repairs that finding them took. */
interface Found {
  readonly values: readonly ReadValue[];
  readonly repairs: ReadonlySet<Repair>;
}

/** Why no value is taken, and the text in which the problem has its place: what is left behind reasoning. */
interface Rejection {
  readonly problem: Unreadable;
  readonly text: string;
}

/** Parts of reasoning without a beginning; behind each the text is read anew. */
const MAX_RESTARTS = 16;

/**
 * The one value of an answer that fits a schema. See `parseAnswer`.
 * @param shownExample repeated between other words or values, it is no answer.
 */
export function parseJsonAnswer(answer: Answer, schema: JsonSchema, shownExample = ""): ParsedAnswer {
  const isAtLimit = answer.finish === "length";
  const found = find(answer.text);
  if ("problem" in found) return rejected(unreadable(found), isAtLimit);
  const [first] = found.values;
  if (!first) return rejected(nothing(answer.text), isAtLimit);
  // The next token might have been another digit.
  if (isAtLimit && typeof first.value === "number") {
    return rejected(json("", "a whole number", "a number at the very end of a cut answer"), true);
  }
  const choice = choose(found.values, schema);
  if (choice.kind === "invalid") return rejected(choice.violations, false);
  if (choice.kind === "ambiguous") {
    return rejected(json("", "exactly one value", `${choice.count} different values that fit the schema`), false);
  }
  const { value, text, repairs } = choice.value;
  const all = new Set<Repair>([...found.repairs, ...repairs]);
  if (isQuotation(choice.value, all, shownExample)) {
    return rejected(json("", "the value for this request", "the example of the instructions among other text"), false);
  }
  if (choice.isDoubleEncoded) all.add("double_encoding");
  return { ok: true, text, value, repairs: [...all] };
}

function isQuotation(value: ReadValue, repairs: ReadonlySet<Repair>, shownExample: string): boolean {
  if (!shownExample || !(repairs.has("surrounding_text") || repairs.has("other_value"))) return false;
  const example = readWhole(shownExample);
  return example !== undefined && isSame(example, value);
}

/** Reads the whole text, else looks for values in it; starts anew behind reasoning that turns out to have been there. */
function find(text: string): Found | Rejection {
  let rest = text;
  let hasReasoning = false;
  let problems = 0;
  for (let restarts = 0; ; restarts += 1) {
    const start = leadingReasoningEnd(rest);
    hasReasoning ||= start > 0;
    rest = rest.slice(start);
    const base: readonly Repair[] = hasReasoning ? ["reasoning"] : [];
    const whole = readWhole(rest) ?? readEscapedQuotes(rest);
    if (whole) return { values: [whole], repairs: new Set(base) };
    const scanned = scan(rest);
    if (scanned.kind === "unreadable") return { problem: scanned.problem, text: rest };
    if (scanned.kind === "values") return { ...scanned, repairs: new Set([...base, ...scanned.repairs]) };
    if (scanned.problem && ++problems > MAX_PROBLEMS) return { problem: scanned.problem, text: rest };
    if (restarts === MAX_RESTARTS) {
      return { problem: new Unreadable(scanned.at, `at most ${MAX_RESTARTS} ends of reasoning`), text: rest };
    }
    hasReasoning = true;
    rest = rest.slice(scanned.at);
  }
}

function rejected(violations: readonly SchemaViolation[], truncated: boolean): ParsedAnswer {
  return { ok: false, violations, truncated };
}

function json(path: string, expected: string, got: string): readonly SchemaViolation[] {
  return [{ path, rule: "json", expected, got }];
}

function nothing(text: string): readonly SchemaViolation[] {
  if (!text.trim()) return [{ path: "", rule: "empty", expected: "a JSON value", got: "an empty text" }];
  return json("", "a JSON value that can be read in one way only", quote(text, 0));
}

function unreadable({ problem, text }: Rejection): readonly SchemaViolation[] {
  return json(problem.path, problem.message, problem.isCut ? "a cut value" : quote(text, problem.at));
}

function quote(text: string, at: number): string {
  const excerpt = text.slice(at, at + MAX_GOT - 3);
  return JSON.stringify(excerpt.toWellFormed()).slice(0, MAX_GOT);
}
