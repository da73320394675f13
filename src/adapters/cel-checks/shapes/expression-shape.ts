import type { CelFunc } from "@bufbuild/cel";
import { MAX_PATTERN_SIZE, patternSize } from "../functions/pattern-size.ts";
import { compileRe2 } from "../functions/patterns.ts";
import { type Call, type Comprehension, type Expr, type Rule, RuleProblem } from "../parse-rule.ts";
import { callShape, spokenName } from "./call-shape.ts";
import { constantShape, spelledText } from "./constant-shape.ts";
import {
  ANYTHING,
  BOOL,
  type Field,
  listOf,
  mayBe,
  NOTHING,
  oneOf,
  type Shape,
  shapeText,
  TEXT,
  union,
} from "./shape.ts";
import { noFunction, noMember, noVariable } from "./unknown-names.ts";

/** Names in sight, the innermost first. */
export interface Scope {
  readonly names: Readonly<Record<string, Shape>>;
  readonly outer?: Scope;
}

const TYPE_NAMES = ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"];
const SOURCE_FUNCTIONS = new Set(["cited", "quoted"]);
const NUMBERS = ["int", "uint", "double"];

/**
 * Runs a rule over shapes instead of values, as if over every answer at once. Refuses what fails or is senseless on all
 * of them, and nothing that works on one.
 */
export class ExpressionShapes {
  readonly #rule: Rule;
  readonly #functions: ReadonlyMap<string, readonly CelFunc[]>;
  readonly #asksOfTexts = new Set<Call>();
  #patternSize = 0;

  constructor(rule: Rule, functions: ReadonlyMap<string, readonly CelFunc[]>) {
    this.#rule = rule;
    this.#functions = functions;
  }

  /** The calls of `cited` and `quoted` that cannot hold where there is nothing to find: an empty list of texts would. */
  get asksOfTexts(): ReadonlySet<Call> {
    return this.#asksOfTexts;
  }

  /** @throws RuleProblem */
  of(expr: Expr | undefined, scope: Scope): Shape {
    if (!expr) return ANYTHING;
    const kind = expr.exprKind;
    switch (kind.case) {
      case "constExpr":
        return constantShape(kind.value);
      case "identExpr":
        return this.#name(expr, kind.value.name, scope);
      case "selectExpr": {
        const field = this.#member(expr, kind.value.operand, scope, kind.value.field, kind.value.testOnly);
        return kind.value.testOnly ? BOOL : field.shape;
      }
      case "callExpr":
        return this.#call(expr, kind.value, scope);
      case "listExpr":
        return listOf(union(kind.value.elements.map((element) => this.of(element, scope))));
      case "structExpr": {
        if (kind.value.messageName !== "")
          this.#refuse(expr, "cel_unknown_name", `there is no type ${kind.value.messageName}`);
        for (const { keyKind, value } of kind.value.entries) {
          if (keyKind.case === "mapKey") this.of(keyKind.value, scope);
          this.of(value, scope);
        }
        return oneOf("map");
      }
      case "comprehensionExpr":
        return this.#loop(kind.value, scope);
      default:
        return ANYTHING;
    }
  }

  /** @throws RuleProblem unless the value may be true or false. */
  boolOf(expr: Expr | undefined, scope: Scope, what: string): Shape {
    const shape = this.of(expr, scope);
    if (expr && !mayBe(shape, "bool"))
      this.#refuse(expr, "cel_type", `${what} must be a bool, and this is ${shapeText(shape)}`);
    return BOOL;
  }

  #name(expr: Expr, name: string, scope: Scope): Shape {
    for (let at: Scope | undefined = scope; at; at = at.outer) {
      const shape = Object.hasOwn(at.names, name) ? at.names[name] : undefined;
      if (shape) return shape;
    }
    if (TYPE_NAMES.includes(name)) return oneOf("type");
    return this.#refuse(expr, "cel_unknown_name", noVariable(name, outermost(scope).output));
  }

  #member(expr: Expr, operand: Expr | undefined, scope: Scope, name: string, isTest: boolean): Field {
    const owner = this.of(operand, scope);
    if (!mayBe(owner, "map")) this.#refuse(expr, "cel_type", `${shapeText(owner)} has no member ${name}`);
    const field = owner.field(name);
    if (field && (field.isDeclared || isTest)) return field;
    const remedy = field ? "; declare it, or say additionalProperties: true" : "";
    const isInput = operand?.exprKind.case === "identExpr" && operand.exprKind.value.name === "input";
    return this.#refuse(expr, "cel_unknown_field", noMember(name, owner, { isInput, remedy }));
  }

  #call(expr: Expr, call: Call, scope: Scope): Shape {
    const { function: name, args } = call;
    const [first, second, third] = args;
    switch (name) {
      case "_&&_":
      case "_||_":
        for (const arg of args) this.boolOf(arg, scope, `each side of ${spokenName(name)}`);
        return BOOL;
      case "_?_:_":
        this.boolOf(first, scope, "the condition before ?");
        return union([this.of(second, scope), this.of(third, scope)]);
      case "_[_]":
        return this.#index(expr, first, second, scope);
      case "@not_strictly_false":
        return BOOL;
      default:
        return this.#function(expr, call, scope);
    }
  }

  #function(expr: Expr, call: Call, scope: Scope): Shape {
    const { function: name, target, args } = call;
    const overloads = this.#functions.get(name) ?? [];
    if (overloads.length === 0) this.#refuse(expr, "cel_unknown_function", noFunction(name, this.#functions.keys()));
    const given = (target ? [target, ...args] : args).map((arg) => this.of(arg, scope));
    const result = callShape(overloads, target !== undefined, given);
    if (!result.ok) return this.#refuse(expr, "cel_type", result.message);
    if (SOURCE_FUNCTIONS.has(name) && given.some((shape) => !mayBe(shape, "list"))) this.#asksOfTexts.add(call);
    if (name === "matches") this.#checkPattern(args[0]);
    return result.shape;
  }

  /** A pattern that is written out is the rule's own fault; others come with the answer. */
  #checkPattern(pattern: Expr | undefined): void {
    const text = spelledText(pattern);
    if (!pattern || text === undefined) return;
    this.#patternSize += patternSize(text);
    if (this.#patternSize > MAX_PATTERN_SIZE) {
      this.#refuse(pattern, "cel_cost", `the rule's patterns may have ${MAX_PATTERN_SIZE} parts, counts written out`);
    }
    try {
      compileRe2(text);
    } catch (error) {
      this.#refuse(pattern, "cel_pattern", error instanceof Error ? error.message : "");
    }
  }

  #index(expr: Expr, operand: Expr | undefined, key: Expr | undefined, scope: Scope): Shape {
    const owner = this.of(operand, scope);
    const keyShape = this.of(key, scope);
    if (!mayBe(owner, "list", "map")) this.#refuse(expr, "cel_type", `${shapeText(owner)} has no items`);
    const name = spelledText(key);
    if (name !== undefined) return this.#member(expr, operand, scope, name, false).shape;
    if (!mayBe(owner, "map")) {
      if (!mayBe(keyShape, ...NUMBERS)) this.#refuse(expr, "cel_type", `${shapeText(keyShape)} is no place in a list`);
      return owner.item();
    }
    return ANYTHING;
  }

  #loop(loop: Comprehension, scope: Scope): Shape {
    const range = this.of(loop.iterRange, scope);
    if (loop.iterRange && !mayBe(range, "list", "map")) {
      this.#refuse(loop.iterRange, "cel_type", `${shapeText(range)} cannot be gone through; a list can`);
    }
    const items = [mayBe(range, "list") ? range.item() : NOTHING, mayBe(range, "map") ? TEXT : NOTHING];
    const begin = this.of(loop.accuInit, scope);
    // What a loop begins with is not what it ends with.
    const start = begin.values ? oneOf(...(begin.kinds ?? [])) : begin;
    const turn: Scope = { names: { [loop.iterVar]: unionOfKnown(items), [loop.accuVar]: start }, outer: scope };
    // Only the result of a turn that lengthens a list says what is in the list afterwards.
    const step = this.of(loop.loopStep, turn);
    return this.of(loop.result, { names: { [loop.accuVar]: mayBe(start, "list") ? step : start }, outer: scope });
  }

  #refuse(expr: Expr, rule: string, message: string): never {
    const place = this.#rule.placeOf(expr.id);
    throw new RuleProblem(rule, place ? `${place}: ${message}` : message);
  }
}

function unionOfKnown(shapes: readonly Shape[]): Shape {
  return union(shapes.filter((shape) => shape !== NOTHING));
}

function outermost(scope: Scope): Readonly<Record<string, Shape>> {
  let at = scope;
  while (at.outer) at = at.outer;
  return at.names;
}
