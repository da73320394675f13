import { parse } from "@bufbuild/cel";
import { syntaxFault } from "./syntax-fault.ts";

type ParsedRule = ReturnType<typeof parse>;
export type Expr = NonNullable<ParsedRule["expr"]>;
export type Comprehension = Extract<Expr["exprKind"], { case: "comprehensionExpr" }>["value"];
export type Call = Extract<Expr["exprKind"], { case: "callExpr" }>["value"];

/** As `Check.rule` in the contract. */
const MAX_RULE_BYTES = 2048;
/** The parser recurses for every bracket. */
const MAX_BRACKETS = 32;

/** A rule that cannot be used; the compiler adds which one it is. */
export class RuleProblem extends Error {
  /** As `InvalidCheckError.rule`. */
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

export interface Rule {
  readonly text: string;
  readonly expr: Expr;
  /** Where an expression stands, such as "line 1, column 12"; empty where that is not known. */
  placeOf(id: bigint): string;
}

/**
 * Parses a rule.
 * @throws RuleProblem cel_size, cel_nesting, cel_syntax.
 */
export function parseRule(text: string): Rule {
  if (Buffer.byteLength(text) > MAX_RULE_BYTES) {
    throw new RuleProblem("cel_size", `a rule may have at most ${MAX_RULE_BYTES} bytes`);
  }
  refuseDeepBrackets(text);
  const { expr, sourceInfo } = parseText(text);
  if (!expr) throw new RuleProblem("cel_syntax", "the rule is empty");
  const positions = sourceInfo?.positions ?? {};
  return {
    text,
    expr,
    placeOf(id) {
      const offset = positions[id.toString()];
      if (offset === undefined) return "";
      // Operators begin for the parser with the white space and comments before them.
      const white = /(?:\s|\/\/[^\r\n]*)*/y;
      white.lastIndex = offset;
      return placeAt(text, offset + (white.exec(text)?.[0].length ?? 0));
    },
  };
}

function parseText(text: string): ParsedRule {
  try {
    // For the parser a comment ends with its line, also the last.
    return parse(`${text}\n`);
  } catch (error) {
    if (error instanceof RangeError) throw new RuleProblem("cel_nesting", "the rule is nested too deep");
    const offset = offsetOf(error);
    if (offset === undefined) throw new RuleProblem("cel_syntax", "the rule has a text or number that cannot be");
    const fault = syntaxFault(text);
    if (fault) throw new RuleProblem("cel_syntax", `${placeAt(text, fault.offset)}: ${fault.message}`);
    // The parser names the tokens it knows, dozens of them; the place says more.
    const found = text.slice(offset, offset + 12).trimEnd();
    const what = found === "" ? "ends where more is needed" : `cannot be read from ${JSON.stringify(found)} on`;
    throw new RuleProblem("cel_syntax", `${placeAt(text, offset)}: the rule ${what}`);
  }
}

/** The parser's errors carry a location, in a class that it does not export. Others (an impossible escape) carry none. */
function offsetOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("location" in error)) return undefined;
  const { location } = error;
  if (typeof location !== "object" || location === null || !("start" in location)) return undefined;
  const { start } = location;
  if (typeof start !== "object" || start === null || !("offset" in start)) return undefined;
  return typeof start.offset === "number" ? start.offset : undefined;
}

/** Line and column, counted from 1, the column in characters. */
function placeAt(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `line ${before.length}, column ${[...(before.at(-1) ?? "")].length + 1}`;
}

/** Brackets inside texts count too: a rule is short, and nobody writes 32 of them. */
function refuseDeepBrackets(text: string): void {
  let depth = 0;
  for (const [at, sign] of [...text].entries()) {
    if ("([{".includes(sign)) depth += 1;
    else if (")]}".includes(sign)) depth = Math.max(0, depth - 1);
    if (depth <= MAX_BRACKETS) continue;
    const place = placeAt(text, [...text].slice(0, at).join("").length);
    throw new RuleProblem("cel_nesting", `${place}: at most ${MAX_BRACKETS} brackets may be open at once`);
  }
}
