import { callAt, numberAt, partsOf, withParts } from "./expression.ts";
import { type Comprehension, type Expr, type Rule, RuleProblem } from "./parse-rule.ts";

/** Levels of an expression, so that recursion over it is safe; `a && b && c …` is balanced by the parser. */
const MAX_DEPTH = 64;
/** Loops (`map`, `filter`, `all`, `exists`, `exists_one`) inside loops. */
const MAX_LOOPS = 3;
/** Names, members and constants are cheap; calls pay for themselves besides. */
const EXPRESSIONS_PER_STEP = 4;
/** Measured: what a failed side of `&&` or `||` costs, since these carry on after an error, and make another of it. */
const EXPRESSIONS_PER_SIDE = 7;
/** Of a map that is written out. */
const EXPRESSIONS_PER_ENTRY = 4;

const LOGIC = new Set(["_&&_", "_||_"]);

/**
 * The names of the functions that pay for loops. CEL's own names never contain an `@` before a letter that a rule could
 * spell, so no rule can call them.
 */
export const LOOP_FUNCTIONS = { range: "@range", turn: "@turn", list: "@new_list", append: "@append" } as const;

/** @throws RuleProblem cel_nesting, cel_cost */
export function refuseDeepNesting(rule: Rule): void {
  const visit = (expr: Expr, depth: number, loops: number): void => {
    const loop = expr.exprKind.case === "comprehensionExpr" ? expr.exprKind.value : undefined;
    if (depth > MAX_DEPTH) {
      throw new RuleProblem(
        "cel_nesting",
        `${rule.placeOf(expr.id)}: the rule is nested deeper than ${MAX_DEPTH} levels`,
      );
    }
    if (loop && loops === MAX_LOOPS) {
      const message = `${rule.placeOf(expr.id)}: at most ${MAX_LOOPS} loops may stand inside each other`;
      throw new RuleProblem("cel_cost", message);
    }
    for (const part of partsOf(expr)) visit(part, depth + 1, loop && part !== loop.iterRange ? loops + 1 : loops);
  };
  visit(rule.expr, 1, 0);
}

/**
 * The expression with its loops made to pay: for the length of their list when they begin, and for the size of their
 * body at every turn. `map` and `filter` append to one list instead of making a new one at every turn, which the engine
 * would do in quadratic time.
 */
export function boundedExpression(expr: Expr): Expr {
  const bounded = withParts(expr, boundedExpression);
  if (bounded.exprKind.case !== "comprehensionExpr") return bounded;
  return { ...bounded, exprKind: { case: "comprehensionExpr", value: payingLoop(bounded, bounded.exprKind.value) } };
}

function payingLoop(at: Expr, loop: Comprehension): Comprehension {
  const { iterRange, accuInit, loopCondition, loopStep } = loop;
  const weight = 1 + Math.ceil((sizeOf(loopStep) + sizeOf(loopCondition)) / EXPRESSIONS_PER_STEP);
  const isList = accuInit?.exprKind.case === "listExpr";
  return {
    ...loop,
    iterRange: iterRange && callAt(iterRange, LOOP_FUNCTIONS.range, [iterRange]),
    accuInit: isList ? callAt(at, LOOP_FUNCTIONS.list, []) : accuInit,
    loopCondition: loopCondition && callAt(at, LOOP_FUNCTIONS.turn, [numberAt(at, weight), loopCondition]),
    loopStep: isList && loopStep ? appending(loopStep, loop.accuVar) : loopStep,
  };
}

/** `@result + [x]` becomes an append, also inside the condition of `filter`. Other sums are the rule's own. */
function appending(step: Expr, accu: string): Expr {
  if (step.exprKind.case !== "callExpr") return step;
  const { function: name, args } = step.exprKind.value;
  if (name === "_?_:_") {
    const [condition, taken, left] = args;
    return condition && taken && left ? callAt(step, name, [condition, appending(taken, accu), left]) : step;
  }
  const [list, added] = args;
  const isAccu = list?.exprKind.case === "identExpr" && list.exprKind.value.name === accu;
  if (name !== "_+_" || !isAccu || added?.exprKind.case !== "listExpr") return step;
  return callAt(step, LOOP_FUNCTIONS.append, [list, ...added.exprKind.value.elements]);
}

/** How many expressions are evaluated at most, those inside of inner loops aside: these pay for themselves. */
function sizeOf(expr: Expr | undefined): number {
  if (!expr) return 0;
  if (expr.exprKind.case === "comprehensionExpr") return 3 + sizeOf(expr.exprKind.value.iterRange);
  return partsOf(expr).reduce((size, part) => size + sizeOf(part), ownSize(expr));
}

function ownSize({ exprKind }: Expr): number {
  if (exprKind.case === "structExpr") return 1 + exprKind.value.entries.length * EXPRESSIONS_PER_ENTRY;
  const isLogic = exprKind.case === "callExpr" && LOGIC.has(exprKind.value.function);
  return isLogic ? EXPRESSIONS_PER_SIDE * (exprKind.value.args.length - 1) : 1;
}
