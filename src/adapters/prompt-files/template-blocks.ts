import { isHelperName } from "./reserved-names.ts";
import { isOnly, PathProblem, type Reference, type Scope } from "./template-scope.ts";

/** What speaks against opening this block with this value; nothing where all is well. */
export function blockProblem(
  name: string,
  node: hbs.AST.BlockStatement,
  value: Reference,
  scope: Scope,
): PathProblem | undefined {
  const names = node.program?.blockParams ?? [];
  const allowed = name === "each" ? 2 : name === "with" ? 1 : 0;
  if (names.length > allowed) {
    return new PathProblem(
      "block_params",
      `#${name} can name ${allowed === 0 ? "nothing" : `at most ${allowed}`} with as |…|`,
    );
  }
  const helper = names.find(isHelperName);
  if (helper !== undefined) return new PathProblem("block_params", `as |${helper}| would hide the helper ${helper}`);
  if (node.hash?.pairs.length) return new PathProblem("helper_arguments", `#${name} takes no name=value arguments`);
  if (name === "each" && !isOnly(value, ["array", "object"])) {
    return new PathProblem(
      "helper_arguments",
      `#each goes through a list or a map; ${value.label} may be something else`,
    );
  }
  // Going through named members would show the absent optional ones too.
  if (name === "each" && value.shape.memberNames.length > 0) {
    return new PathProblem(
      "helper_arguments",
      `${value.label} has named members; write them out, or {{json ${value.label}}}`,
    );
  }
  if (name === "with" && (!isOnly(value, ["object"]) || value.key === scope.self.key)) {
    return new PathProblem("helper_arguments", `#with enters an object; ${value.label} is none, or is entered already`);
  }
  return undefined;
}
