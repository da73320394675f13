import Handlebars from "handlebars";
import type { ProblemReport, PromptRule } from "./problems.ts";
import { BLOCK_HELPERS, VALUE_HELPERS } from "./reserved-names.ts";
import type { RoleSection } from "./role-sections.ts";
import type { Shape } from "./shape.ts";
import { checkArguments } from "./template-arguments.ts";
import { blockProblem } from "./template-blocks.ts";
import { calledHelper, isBlock, isMustache, isPath, isSubExpression } from "./template-nodes.ts";
import {
  builtinReference,
  contextKey,
  isOnly,
  isRoot,
  PathProblem,
  type Reference,
  resolvePath,
  rootScope,
  type Scope,
} from "./template-scope.ts";

const PRINTABLE = ["boolean", "number", "string"] as const;

/** What a check found out about a sound template. */
export interface CheckedTemplate {
  readonly usesContext: boolean;
}

/**
 * Checks a section's template against the variables it may use. Every path must be declared and certain to be readable
 * when it is read, and every helper known, so that a valid call cannot fail or leave a hole in the text.
 */
export function checkTemplate(section: RoleSection, variables: Shape, report: ProblemReport): CheckedTemplate {
  if (section.template.includes("{{{{")) {
    const line = section.line + section.template.slice(0, section.template.indexOf("{{{{")).split("\n").length - 1;
    report.add("raw_block", "four braces are not allowed; write \\{{ for a literal {{", line);
    return { usesContext: false };
  }
  const check = new TemplateCheck(section.line, report);
  const program = parseTemplate(section, report);
  if (program) check.statements(program.body, rootScope(variables));
  return { usesContext: check.usesContext };
}

function parseTemplate(section: RoleSection, report: ProblemReport): hbs.AST.Program | undefined {
  try {
    return Handlebars.parse(section.template);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // The parser's errors are plain; those about mismatched blocks carry a line, the others name it in their text.
    const named = /line (\d+)/.exec(error.message)?.[1] ?? /- (\d+):\d+$/.exec(error.message)?.[1];
    const message = error.message.replace(/^Parse error on line \d+:\n/, "").replaceAll(/\s*\n\s*/g, " ");
    report.add("template_syntax", message.slice(0, 300), section.line + Number(named ?? 1) - 1);
    return undefined;
  }
}

/** Walks one template. The nodes of a parsed template are known by their `type`, which Handlebars' types leave open. */
class TemplateCheck {
  usesContext = false;
  readonly #firstLine: number;
  readonly #report: ProblemReport;
  #items = 0;

  constructor(firstLine: number, report: ProblemReport) {
    this.#firstLine = firstLine;
    this.#report = report;
  }

  statements(body: readonly hbs.AST.Statement[], scope: Scope): void {
    for (const statement of body) {
      if (isMustache(statement)) this.#mustache(statement, scope);
      else if (isBlock(statement)) this.#block(statement, scope);
      else if (statement.type.startsWith("Partial")) this.#refuse(statement, "partial", "partials are not allowed");
      else if (statement.type.startsWith("Decorator"))
        this.#refuse(statement, "decorator", "decorators are not allowed");
    }
  }

  #mustache(node: hbs.AST.MustacheStatement, scope: Scope): void {
    if (!node.escaped) {
      this.#refuse(
        node,
        "triple_braces",
        "write {{name}}: nothing is escaped in prompts, so {{{name}}} means the same",
      );
      return;
    }
    if (!isPath(node.path)) {
      this.#refuse(node, "literal_path", "a literal is no variable; write the text without braces");
      return;
    }
    const helper = calledHelper(node.path, node, scope);
    if (helper !== undefined) {
      this.#call(helper, node, scope);
      if (helper === "eq") this.#refuse(node, "not_text", "eq is for #if and #unless; it is no text");
      return;
    }
    const value = this.resolve(node.path, scope);
    if (value && !isOnly(value, PRINTABLE)) {
      const kinds = [...value.shape.kinds].join(", ");
      this.#refuse(node, "not_text", `${value.label} may be ${kinds}; write {{json ${value.label}}} or go through it`);
    }
  }

  #call(helper: string, node: hbs.AST.MustacheStatement | hbs.AST.SubExpression, scope: Scope): void {
    if (!VALUE_HELPERS.includes(helper)) {
      const known = `known are ${VALUE_HELPERS.join(", ")} and the blocks ${BLOCK_HELPERS.map((name) => `#${name}`).join(", ")}`;
      this.#refuse(node, "unknown_helper", `there is no helper ${helper}; ${known}`);
      return;
    }
    const values = node.params.map((param) => this.#argument(param, scope));
    if (values.includes("refused")) return;
    const problem = checkArguments(
      helper,
      values.filter((value) => value !== "refused"),
      node.hash,
    );
    if (problem) this.#refuse(node, "helper_arguments", problem);
  }

  /** A value handed to a helper: a reference, a literal, or the result of another helper. */
  #argument(param: hbs.AST.Expression, scope: Scope): Reference | "literal" | "refused" {
    if (isPath(param)) return this.resolve(param, scope) ?? "refused";
    if (!isSubExpression(param)) return "literal";
    const before = this.#report.problems.length;
    const helper = param.path.original;
    this.#call(helper, param, scope);
    if (this.#report.problems.length > before) return "refused";
    return builtinReference(helper, helper === "eq" ? "boolean" : "string");
  }

  #block(node: hbs.AST.BlockStatement, scope: Scope): void {
    const name = node.path.original;
    if (!BLOCK_HELPERS.includes(name)) {
      const message = `there is no block ${name}; known are ${BLOCK_HELPERS.join(", ")}`;
      this.#refuse(node, "unknown_helper", message);
      return;
    }
    const [param] = node.params;
    const value = param && node.params.length === 1 ? this.#argument(param, scope) : undefined;
    if (value === undefined || value === "literal") {
      this.#refuse(node, "helper_arguments", `#${name} takes exactly one variable`);
      return;
    }
    if (value === "refused") return;
    const problem = blockProblem(name, node, value, scope);
    if (problem) this.#refuse(node, problem.rule, problem.message);
    else this.#inside(name, node, value, scope);
  }

  #inside(name: string, node: hbs.AST.BlockStatement, value: Reference, scope: Scope): void {
    // A block written as {{^if …}} has only an inverse, whatever the types say.
    const main: hbs.AST.Program | undefined = node.program;
    const inverse: hbs.AST.Program | undefined = node.inverse;
    const seen: Scope = { ...scope, present: new Set(scope.present).add(value.key) };
    if (name === "unless") {
      this.statements(main?.body ?? [], scope);
      this.statements(inverse?.body ?? [], seen);
      return;
    }
    this.statements(main?.body ?? [], name === "if" ? seen : this.#opened(name, main?.blockParams ?? [], value, seen));
    this.statements(inverse?.body ?? [], scope);
  }

  /** The scope within `#each` or `#with`. */
  #opened(name: string, names: readonly string[], value: Reference, scope: Scope): Scope {
    const isItem = name === "each";
    const self = isItem ? this.#itemOf(value, names[0]) : { ...value, label: names[0] ?? value.label };
    const blockParams = new Map(scope.blockParams);
    if (names[0] !== undefined) blockParams.set(names[0], self);
    if (names[1] !== undefined) blockParams.set(names[1], builtinReference(names[1], "string"));
    return { self, parent: scope, isItem, blockParams, present: scope.present };
  }

  #itemOf(value: Reference, name: string | undefined): Reference {
    const shape = value.shape.items;
    const key = `${value.key}/#${++this.#items}`;
    return { shape, key, label: name ?? "this", mayBeMissing: shape.kinds.has("null") };
  }

  resolve(path: hbs.AST.PathExpression, scope: Scope): Reference | undefined {
    const found = resolvePath(path, scope);
    if (found instanceof PathProblem) {
      this.#refuse(path, found.rule, found.message);
      return undefined;
    }
    if (isRoot(found)) {
      this.#refuse(path, "whole_input", "name the variable that is meant, not all of them at once");
      return undefined;
    }
    if (found.key === contextKey || found.key.startsWith(`${contextKey}/`)) this.usesContext = true;
    return found;
  }

  #refuse(node: hbs.AST.Node, rule: PromptRule, message: string): void {
    this.#report.add(rule, message, this.#firstLine + node.loc.start.line - 1);
  }
}
