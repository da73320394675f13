import { type CelEnv, type CelError, isCelError, plan } from "@bufbuild/cel";
import { boundedExpression } from "./bounded-expression.ts";
import type { Evaluation } from "./evaluation.ts";
import { failureText } from "./failure-text.ts";
import { type Call, type Expr, type Rule, RuleProblem } from "./parse-rule.ts";
import { type Constants, Outcomes } from "./shapes/outcomes.ts";
import { withoutStacks } from "./without-stacks.ts";

/** What the constants of a rule may do together; a rule of 2,048 bytes needs far less, unless it loops over its own. */
const STEPS_PER_RULE = 4_000;

/** Refuses a rule whose constants never let it hold, whatever the answer. */
export function refuseHopeless(rule: Rule, env: CelEnv, evaluation: Evaluation): void {
  const constants = constantsOf(env, evaluation);
  const found = evaluation.alone(STEPS_PER_RULE, () => new Outcomes(constants).hopeless(rule.expr));
  if (!found) return;
  if (found.error) throw new RuleProblem("cel_never", `${failureText(found.error, rule)}, on every answer`);
  const place = rule.placeOf(found.part.id);
  throw new RuleProblem("cel_never", `${place}${place && ": "}this is false on every answer`);
}

/** Whether a rule can never hold once these calls are known to be false. */
export function isHopelessWith(expr: Expr, areFalse: (call: Call) => boolean): boolean {
  return new Outcomes(constantBool, areFalse).hopeless(expr) !== undefined;
}

/** Other constants have been looked at before: with them alone the rule can hold. */
const constantBool: Constants = ({ exprKind: kind }) => {
  const constant = kind.case === "constExpr" ? kind.value.constantKind : undefined;
  return constant?.case === "boolValue" ? constant.value : undefined;
};

function constantsOf(env: CelEnv, { budget }: Evaluation): Constants {
  return (expr) => {
    const bool = constantBool(expr);
    if (bool !== undefined) return bool;
    if (expr.exprKind.case === "constExpr") return "value";
    if (budget.isOverdrawn) return undefined;
    const result: unknown = withoutStacks(() => plan(env, boundedExpression(expr))({}));
    if (budget.isOverdrawn) return undefined;
    if (isError(result)) return result;
    return typeof result === "boolean" ? result : "value";
  };
}

function isError(result: unknown): result is CelError {
  return isCelError(result);
}
