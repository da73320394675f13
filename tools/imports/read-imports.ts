import { type Token, tokens } from "./tokens.ts";

/** One import of a source file: static, dynamic, of types alone, or a re-export. */
export interface Import {
  /** The specifier as written, or undefined for a dynamic import of something else than a literal. */
  specifier: string | undefined;
  /** The line, from 1. */
  line: number;
}

/** All imports of a TypeScript source, in order. */
export function readImports(source: string): Import[] {
  const all = tokens(source);
  return all.flatMap((token, index) => {
    if (token.kind !== "word" || isMark(all[index - 1], ".")) return [];
    if (token.value === "import") return importAt(all, index);
    return token.value === "export" ? exportAt(all, index) : [];
  });
}

function importAt(all: Token[], index: number): Import[] {
  const line = all[index]?.line ?? 0;
  const next = all[index + 1];
  if (next?.kind === "text") return [{ specifier: next.value, line }];
  if (isMark(next, "(")) return [{ specifier: literalArgument(all, index + 2), line }];
  // `import.meta`, a property called import, and the like.
  if (next?.kind === "mark" && !["{", "*"].includes(next.value)) return [];
  return fromClause(all, index + 1, line);
}

function exportAt(all: Token[], index: number): Import[] {
  const afterType = isWord(all[index + 1], "type") ? index + 2 : index + 1;
  const first = all[afterType];
  if (!isMark(first, "{") && !isMark(first, "*")) return [];
  return fromClause(all, afterType, all[index]?.line ?? 0);
}

/** The specifier of the `from` that ends the clause beginning at `start`, where it has one. */
function fromClause(all: Token[], start: number, line: number): Import[] {
  for (let index = start; index < all.length && !isMark(all[index], ";"); index += 1) {
    const token = all[index];
    if (token?.kind === "text" && isWord(all[index - 1], "from")) return [{ specifier: token.value, line }];
  }
  return [];
}

function literalArgument(all: Token[], index: number): string | undefined {
  const argument = all[index];
  const after = all[index + 1];
  return argument?.kind === "text" && (isMark(after, ")") || isMark(after, ",")) ? argument.value : undefined;
}

function isMark(token: Token | undefined, value: string): boolean {
  return token?.kind === "mark" && token.value === value;
}

function isWord(token: Token | undefined, value: string): boolean {
  return token?.kind === "word" && token.value === value;
}
