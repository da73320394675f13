import { type CelEnv, type CelFunc, celEnv, plan } from "@bufbuild/cel";
import { LRUCache } from "lru-cache";
import {
  type CheckCompiler,
  type CheckFacts,
  type CheckShape,
  type CheckSource,
  type Checks,
  InvalidCheckError,
  NO_CHECKS,
} from "../../core/semantic-check.ts";
import { boundedExpression, refuseDeepNesting } from "./bounded-expression.ts";
import { Evaluation } from "./evaluation.ts";
import { namesIn } from "./expression.ts";
import { checkFunctions, mismatches } from "./functions/all.ts";
import { refuseHopeless } from "./hopeless-rules.ts";
import { parseRule, RuleProblem } from "./parse-rule.ts";
import { refuseRequest } from "./refuse-request.ts";
import { type CompiledRule, evaluateRules, type Variable } from "./run-rules.ts";
import { ExpressionShapes, type Scope } from "./shapes/expression-shape.ts";
import { shapeOfSchema } from "./shapes/schema-shape.ts";
import { ANYTHING, listOf, mapOf, type Shape, TEXT } from "./shapes/shape.ts";

const MAX_COMPILED = 256;
const MAX_KEY_CHARACTERS = 1 << 21;

/**
 * The checks engine: CEL, with every rule parsed, run over the shape of the schema, and made to pay for what it does.
 * Keeps up to 256 compiled lists of checks, the least recently used going first, by all that went into them.
 */
export function createCheckCompiler(): CheckCompiler {
  const evaluation = new Evaluation();
  const all = checkFunctions(evaluation);
  const env = celEnv({ funcs: [...all, ...mismatches(all, evaluation)] });
  const functions: ReadonlyMap<string, readonly CelFunc[]> = Map.groupBy(all, ({ name }) => name);
  const compiled = new LRUCache<string, Checks>({
    max: MAX_COMPILED,
    maxSize: MAX_KEY_CHARACTERS,
    sizeCalculation: (_, key) => key.length,
  });
  return {
    compile(sources, shape) {
      if (sources.length === 0) return NO_CHECKS;
      const pairs = sources.map(({ rule, message }) => [rule, message]);
      const key = JSON.stringify([pairs, shape.schemaText ?? null, shape.inputSchemaText ?? null]);
      const known = compiled.get(key);
      if (known) return known;
      const scope = { names: variableShapes(shape) };
      const rules = sources.map((source, index) => compileRule(source, index, scope, { env, functions, evaluation }));
      const checks: Checks = {
        sources: sources.map(({ rule, message }) => ({ rule, message })),
        refuse: (facts) => refuseRequest(rules, facts),
        evaluate: (facts: CheckFacts) => evaluation.over(facts, () => evaluateRules(rules, facts, evaluation.budget)),
      };
      compiled.set(key, checks);
      return checks;
    },
  };
}

function variableShapes({ schemaText, inputSchemaText }: CheckShape): Record<Variable, Shape> {
  return {
    output: schemaText === undefined ? TEXT : shapeOfSchema(schemaText),
    input: inputSchemaText === undefined ? ANYTHING : shapeOfSchema(inputSchemaText),
    chunks: listOf(mapOf({ id: TEXT, text: TEXT })),
  };
}

interface Engine {
  readonly env: CelEnv;
  readonly functions: ReadonlyMap<string, readonly CelFunc[]>;
  readonly evaluation: Evaluation;
}

function compileRule(source: CheckSource, index: number, scope: Scope, engine: Engine): CompiledRule {
  try {
    const rule = parseRule(source.rule);
    refuseDeepNesting(rule);
    const shapes = new ExpressionShapes(rule, engine.functions);
    shapes.boolOf(rule.expr, scope, "what the rule yields");
    refuseHopeless(rule, engine.env, engine.evaluation);
    const names = namesIn(rule.expr);
    return {
      source,
      reads: (["output", "input", "chunks"] as const).filter((name) => names.has(name)),
      run: plan(engine.env, boundedExpression(rule.expr)),
      parsed: rule,
      asksOfTexts: shapes.asksOfTexts,
    };
  } catch (error) {
    if (!(error instanceof RuleProblem)) throw error;
    throw new InvalidCheckError(index, error.rule, error.message);
  }
}
