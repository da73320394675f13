import {
  type Document,
  type ErrorCode,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  type Pair,
  parseDocument,
  stringify,
  visit,
} from "yaml";

/** A place in a YAML text that cannot be used. Lines and columns count from 1. The message never quotes the text. */
export interface YamlProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type YamlResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly YamlProblem[] };

const MAX_PROBLEMS = 20;

/** Collections may lie this deep in one another; deeper ones would only serve to exhaust the stack of a reader. */
const MAX_DEPTH = 32;

/**
 * Reads one YAML 1.2 document of plain mappings, lists and scalars. Refused are duplicate keys, anchors and aliases (so
 * that no value can grow or contain itself), tags, keys that are not text, `__proto__`, and a second document. An empty
 * text is `null`. The caller bounds the size of the text; the work is linear in it.
 */
export function parseStrictYaml(text: string): YamlResult {
  const lines = new LineCounter();
  // The library's own check of unique keys compares every key with every other one; ours, below, is linear.
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
  });
  const problems: YamlProblem[] = [];
  const report = (offset: number, message: string) => {
    if (problems.length >= MAX_PROBLEMS) return;
    const { line, col } = lines.linePos(offset);
    // After the first error of a line the reader is lost, and more of them would only hide the one that counts.
    if (problems.at(-1)?.line === line) return;
    problems.push({ line, column: col, message });
  };
  for (const { code, pos } of [...document.errors, ...document.warnings])
    report(pos[0], errorTexts[code] ?? otherError);
  if (problems.length === 0) checkNodes(document, report);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: document.toJS({ maxAliasCount: 0 }) };
}

function checkNodes(document: Document, report: (offset: number, message: string) => void): void {
  visit(document, {
    Alias: (_, node) => report(node.range?.[0] ?? 0, noAliases),
    Collection(_, node, path) {
      if (node.anchor !== undefined) report(node.range?.[0] ?? 0, noAliases);
      if (node.tag !== undefined) report(node.range?.[0] ?? 0, errorTexts.TAG_RESOLVE_FAILED);
      if (path.filter(isCollection).length >= MAX_DEPTH) {
        report(node.range?.[0] ?? 0, `is nested deeper than ${MAX_DEPTH} levels`);
        return visit.SKIP;
      }
      if (isMap(node)) checkKeys(node.items, node.range?.[0] ?? 0, report);
    },
    Scalar(_, node) {
      if (node.anchor !== undefined) report(node.range?.[0] ?? 0, noAliases);
      if (node.tag !== undefined) report(node.range?.[0] ?? 0, errorTexts.TAG_RESOLVE_FAILED);
    },
  });
}

function checkKeys(items: readonly Pair[], start: number, report: (offset: number, message: string) => void): void {
  const seen = new Set<string>();
  for (const { key } of items) {
    if (isAlias(key)) continue;
    if (!isScalar(key) || key.value === null) {
      report(start, "the keys of a mapping must be text");
      continue;
    }
    const offset = key.range?.[0] ?? start;
    const name = String(key.value);
    if (seen.has(name)) report(offset, errorTexts.DUPLICATE_KEY);
    if (name === "__proto__") report(offset, "__proto__ is not a key");
    seen.add(name);
  }
}

const otherError = "is not valid YAML";
const noAliases = "anchors and aliases are not supported; put a text that begins with * or & in quotes";

/** Our own words for the library's errors: some of its messages quote the text, which may hold a secret. */
const errorTexts: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: noAliases,
  BAD_ALIAS: noAliases,
  BAD_COLLECTION_TYPE: "tags are not supported",
  BAD_DIRECTIVE: "this directive is not supported",
  BAD_DQ_ESCAPE: "has an escape that \"…\" does not know; use '…' for text with backslashes",
  BAD_INDENT: "is not indented as the lines around it, or a closing bracket is missing before it",
  BAD_PROP_ORDER: "anchors and tags are not supported",
  BAD_SCALAR_START: "begins with a reserved character; put the text in quotes",
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot begin here; put a text that holds ": " in quotes',
  BLOCK_IN_FLOW: "an indented block cannot stand within […] or {…}",
  DUPLICATE_KEY: "this key was given before",
  IMPOSSIBLE: otherError,
  KEY_OVER_1024_CHARS: "a key is longer than 1,024 characters",
  MISSING_CHAR: 'a character is missing, such as a closing quote, a bracket, a comma or ": "',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines; is ": " missing, or the indentation wrong?',
  MULTIPLE_ANCHORS: noAliases,
  MULTIPLE_DOCS: "a second document begins here; only one is read",
  MULTIPLE_TAGS: "tags are not supported",
  NON_STRING_KEY: "the keys of a mapping must be text",
  RESOURCE_EXHAUSTION: "is nested too deeply",
  TAB_AS_INDENT: "is indented with a tab; use spaces",
  TAG_RESOLVE_FAILED: "tags are not supported; put a text that begins with ! in quotes",
  UNEXPECTED_TOKEN: "is not expected here",
};

/** Plain values as YAML that `parseStrictYaml` reads back. */
export function toYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}
