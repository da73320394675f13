import Handlebars from "handlebars";
import { isHelperName } from "./reserved-names.ts";
import type { Scope } from "./template-scope.ts";

export function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === "PathExpression";
}

export function isSubExpression(node: hbs.AST.Node): node is hbs.AST.SubExpression {
  return node.type === "SubExpression";
}

export function isMustache(node: hbs.AST.Node): node is hbs.AST.MustacheStatement {
  return node.type === "MustacheStatement";
}

export function isBlock(node: hbs.AST.Node): node is hbs.AST.BlockStatement {
  return node.type === "BlockStatement";
}

/** The helper that Handlebars would call for these braces, by its own rules; nothing where they print a variable. */
export function calledHelper(
  path: hbs.AST.PathExpression,
  node: hbs.AST.MustacheStatement,
  scope: Scope,
): string | undefined {
  const isSimple = Handlebars.AST.helpers.simpleId(path);
  if (isSimple && scope.blockParams.has(path.original)) {
    return node.params.length > 0 || node.hash ? path.original : undefined;
  }
  if (node.params.length > 0 || node.hash) return path.original;
  return isSimple && isHelperName(path.original) ? path.original : undefined;
}
