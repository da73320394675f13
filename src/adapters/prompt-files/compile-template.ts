import Handlebars from "handlebars";
import { VALUE_HELPERS } from "./reserved-names.ts";
import { areEqual, joinItems, plain, printJson, printScalar, RenderBudget } from "./template-helpers.ts";
import { isBlock, isMustache, isPath } from "./template-nodes.ts";

/** Fills a checked template in. `data` are the filled variables with the chunks under `context`. */
export type Template = (data: Readonly<Record<string, unknown>>, budget: RenderBudget) => string;

/** Prints a variable. No template can call it: the check refuses every helper that is not listed. */
const PRINT = "(print)";

const KNOWN_HELPERS = Object.fromEntries([...VALUE_HELPERS, PRINT].map((name) => [name, true]));

const engine = Handlebars.create();
registerHelpers();

/**
 * Compiles a section's template, which `checkTemplate` must have accepted. Handlebars turns it into code when it is
 * first used; values are only ever handed to that code as data.
 */
export function compileTemplate(source: string): Template {
  const program = engine.parse(source);
  program.body.forEach(printThroughHelper);
  const template = engine.compile(program, {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: KNOWN_HELPERS,
  });
  return (data, budget) => template(data, { data: { budget } });
}

/**
 * With `noEscape`, Handlebars joins neighbours with `+` before it knows that they are texts: `{{a}}{{b}}` with 1 and 2
 * would print 3. So every variable is printed by a helper that returns a text.
 */
function printThroughHelper(node: hbs.AST.Statement): void {
  if (isBlock(node)) {
    for (const part of [node.program, node.inverse]) part?.body.forEach(printThroughHelper);
    return;
  }
  if (!isMustache(node) || !isPath(node.path) || node.params.length > 0) return;
  node.params = [node.path];
  node.path = { type: "PathExpression", data: false, depth: 0, parts: [PRINT], original: PRINT, loc: node.loc };
}

function registerHelpers(): void {
  const { each, if: builtinIf, unless } = engine.helpers;
  if (!each || !builtinIf || !unless) throw new Error("Handlebars came without its block helpers");
  engine.unregisterHelper("log");
  engine.unregisterHelper("lookup");
  engine.registerHelper(PRINT, (value: unknown, options: unknown) => budgetOf(options).spend(printScalar(value)));
  engine.registerHelper("json", (value: unknown, options: unknown) => budgetOf(options).spend(printJson(value)));
  engine.registerHelper("join", (list: unknown, between: unknown, options: unknown) =>
    budgetOf(options).spend(joinItems(list, between)),
  );
  engine.registerHelper("eq", (a: unknown, b: unknown) => areEqual(a, b));
  engine.registerHelper("if", function (this: unknown, value: unknown, options: Handlebars.HelperOptions) {
    return builtinIf.call(this, plain(value), options);
  });
  engine.registerHelper("unless", function (this: unknown, value: unknown, options: Handlebars.HelperOptions) {
    return unless.call(this, plain(value), options);
  });
  engine.registerHelper("each", function (this: unknown, list: unknown, options: Handlebars.HelperOptions) {
    const budget = budgetOf(options);
    const fn: Handlebars.TemplateDelegate = (item, runtime) => budget.spend(options.fn(item, runtime));
    return each.call(this, list, { ...options, fn });
  });
}

function budgetOf(options: unknown): RenderBudget {
  const data: unknown = typeof options === "object" && options !== null ? Reflect.get(options, "data") : undefined;
  const budget: unknown = typeof data === "object" && data !== null ? Reflect.get(data, "budget") : undefined;
  if (budget instanceof RenderBudget) return budget;
  throw new Error("a template was rendered without a budget");
}
