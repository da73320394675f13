import type { CelError } from "@bufbuild/cel";
import { numberAt, partsOf } from "../expression.ts";
import type { Call, Expr } from "../parse-rule.ts";

/** What an expression may come to, as a set of bits. */
const TRUE = 1;
const FALSE = 2;
/** A value that is no bool. */
const VALUE = 4;
const ERROR = 8;
const ANYTHING = TRUE | FALSE | VALUE | ERROR;

/** What an expression without variables comes to; undefined where that takes too long to find out. */
export type Constants = (expr: Expr) => boolean | "value" | CelError | undefined;

/** Where a rule can never hold: the part that decides it, and the error that it always ends with, if it does. */
export interface Hopeless {
  readonly part: Expr;
  readonly error?: CelError;
}

type Struct = Extract<Expr["exprKind"], { case: "structExpr" }>["value"];

const CONTEXT_FUNCTIONS = new Set(["cited", "known_citations", "quoted"]);
const TYPE_NAMES = new Set(["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"]);

/**
 * Whether a rule can hold, by its constants and the logic around them; everything else may come to anything. Never wrong
 * about a rule that can.
 */
export class Outcomes {
  readonly #constants: Constants;
  /** Calls that are known to be false. */
  readonly #areFalse: (call: Call) => boolean;
  readonly #known = new Map<Expr, number>();
  readonly #errors = new Map<Expr, CelError>();

  constructor(constants: Constants, areFalse: (call: Call) => boolean = () => false) {
    this.#constants = constants;
    this.#areFalse = areFalse;
  }

  /** Undefined where the rule can hold. */
  hopeless(rule: Expr): Hopeless | undefined {
    if (this.#of(rule) & TRUE) return undefined;
    const part = this.#decidingPart(rule);
    const error = this.#errorIn(part);
    return { part, ...(error && { error }) };
  }

  #decidingPart(expr: Expr): Expr {
    const { exprKind: kind } = expr;
    if (kind.case !== "callExpr" || kind.value.function !== "_&&_") return expr;
    const deciding = kind.value.args.find((arg) => !(this.#of(arg) & TRUE));
    return deciding ? this.#decidingPart(deciding) : expr;
  }

  #errorIn(expr: Expr): CelError | undefined {
    if (this.#of(expr) !== ERROR) return undefined;
    const known = this.#errors.get(expr);
    if (known) return known;
    for (const part of partsOf(expr)) {
      const error = this.#errorIn(part);
      if (error) return error;
    }
    return undefined;
  }

  #of(expr: Expr | undefined): number {
    if (!expr) return ANYTHING;
    const known = this.#known.get(expr);
    if (known !== undefined) return known;
    const found = this.#find(expr);
    this.#known.set(expr, found);
    return found;
  }

  #find(expr: Expr): number {
    if (isConstant(expr)) return this.#constant(expr);
    const { exprKind: kind } = expr;
    switch (kind.case) {
      case "callExpr":
        return this.#call(kind.value);
      case "selectExpr":
        return this.#of(kind.value.operand) === ERROR ? ERROR : ANYTHING;
      case "structExpr":
        return this.#hasKeyTwice(expr, kind.value) ? ERROR : this.#needing(partsOf(expr), VALUE | ERROR);
      case "listExpr":
        return this.#needing(partsOf(expr), VALUE | ERROR);
      case "comprehensionExpr":
        return this.#of(kind.value.iterRange) === ERROR ? ERROR : ANYTHING;
      default:
        return ANYTHING;
    }
  }

  /** Whether a map with these keys fails, whatever its values are. */
  #hasKeyTwice(expr: Expr, struct: Struct): boolean {
    const entries = struct.entries.map((entry) => ({ ...entry, value: numberAt(expr, 0) }));
    const keysAlone: Expr = { ...expr, exprKind: { case: "structExpr", value: { ...struct, entries } } };
    if (!isConstant(keysAlone) || this.#constant(keysAlone) !== ERROR) return false;
    const error = this.#errors.get(keysAlone);
    if (error) this.#errors.set(expr, error);
    return true;
  }

  #constant(expr: Expr): number {
    const result = this.#constants(expr);
    if (result === undefined) return ANYTHING;
    if (typeof result === "boolean") return result ? TRUE : FALSE;
    if (result === "value") return VALUE;
    this.#errors.set(expr, result);
    return ERROR;
  }

  #call(call: Call): number {
    const { function: name, target, args } = call;
    const [first, second, third] = args.map((arg) => this.#of(arg));
    switch (name) {
      case "_&&_":
        return this.#logic(args, TRUE, FALSE);
      case "_||_":
        return this.#logic(args, FALSE, TRUE);
      case "!_":
        return swapped(first ?? ANYTHING);
      case "_?_:_":
        return conditional(first ?? ANYTHING, second ?? ANYTHING, third ?? ANYTHING);
      case "@not_strictly_false":
        return TRUE | FALSE;
      default:
        return this.#areFalse(call) ? FALSE | ERROR : this.#needing(target ? [target, ...args] : args, ANYTHING);
    }
  }

  /** `&&` and `||`: one side of `deciding` is enough, and all must be `joint` for the other. */
  #logic(args: readonly Expr[], joint: number, deciding: number): number {
    const sides = args.map((arg) => this.#of(arg));
    let result = sides.every((side) => side & joint) ? joint : 0;
    if (sides.some((side) => side & deciding)) result |= deciding;
    if (sides.some((side) => side & (ERROR | VALUE))) result |= ERROR;
    return result;
  }

  /** What fails where one of its parts does. */
  #needing(parts: readonly Expr[], otherwise: number): number {
    return parts.some((part) => this.#of(part) === ERROR) ? ERROR : otherwise;
  }
}

function swapped(outcomes: number): number {
  const swappedBools = (outcomes & TRUE ? FALSE : 0) | (outcomes & FALSE ? TRUE : 0);
  return swappedBools | (outcomes & (ERROR | VALUE) ? ERROR : 0);
}

function conditional(condition: number, taken: number, left: number): number {
  const failed = condition & (ERROR | VALUE) ? ERROR : 0;
  return (condition & TRUE ? taken : 0) | (condition & FALSE ? left : 0) | failed;
}

/** Whether it comes to the same on every answer. */
function isConstant(expr: Expr, bound: ReadonlySet<string> = TYPE_NAMES): boolean {
  const { exprKind: kind } = expr;
  if (kind.case === "identExpr") return bound.has(kind.value.name);
  if (kind.case === "callExpr" && CONTEXT_FUNCTIONS.has(kind.value.function)) return false;
  if (kind.case !== "comprehensionExpr") return partsOf(expr).every((part) => isConstant(part, bound));
  const { iterRange, iterVar, accuVar } = kind.value;
  const inside = new Set([...bound, iterVar, accuVar]);
  return partsOf(expr).every((part) => isConstant(part, part === iterRange ? bound : inside));
}
