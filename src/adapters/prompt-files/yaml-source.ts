import { type Document, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { parseStrictYaml } from "../strict-yaml.ts";
import type { ProblemReport } from "./problems.ts";

export type YamlPath = readonly string[];

/** Parsed YAML that still knows where everything stands. */
export interface YamlSource {
  /** Plain data, with a JSON form: objects, arrays, texts, finite numbers, booleans, null. */
  readonly value: unknown;
  /** Line in the file of the deepest part of the path that exists. List items go by their number, as text. */
  lineOf(path: YamlPath): number;
  /** A scalar as it was written, digits untouched. */
  spelling(path: YamlPath): string | undefined;
}

/** Parses strict YAML, or reports what is wrong with it, at most 20 problems. `firstLine` is its first line in the file. */
export function parseYaml(text: string, firstLine: number, report: ProblemReport): YamlSource | undefined {
  const result = parseStrictYaml(text);
  if (!result.ok) {
    for (const { line, message } of result.problems) report.add("yaml", message, line + firstLine - 1);
    return undefined;
  }
  const places = yamlPlaces(text);
  const source: YamlSource = {
    value: result.value,
    lineOf: (path) => places().lineOf(path) + firstLine - 1,
    spelling: (path) => places().spelling(path),
  };
  const unfit = numberWithoutJson(result.value, []);
  if (!unfit) return source;
  report.add("yaml", `${unfit.join(".")} is a number that JSON cannot hold`, source.lineOf(unfit));
  return undefined;
}

/** Places are looked up only where something is wrong or digits matter, so the second reading is put off until then. */
function yamlPlaces(text: string): () => Pick<YamlSource, "lineOf" | "spelling"> {
  let places: Pick<YamlSource, "lineOf" | "spelling"> | undefined;
  return () => {
    if (places) return places;
    const lineCounter = new LineCounter();
    const options = { lineCounter, prettyErrors: false, schema: "core", uniqueKeys: false, version: "1.2" } as const;
    const document = parseDocument(text, options);
    places = {
      lineOf: (path) => lineCounter.linePos(offsetOf(document, path)).line,
      spelling(path) {
        const node: unknown = document.getIn(path, true);
        return isScalar(node) ? node.source : undefined;
      },
    };
    return places;
  };
}

function offsetOf(document: Document, path: YamlPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function numberWithoutJson(value: unknown, path: YamlPath): YamlPath | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : path;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = numberWithoutJson(member, [...path, key]);
    if (found) return found;
  }
  return undefined;
}

/** A JSON pointer as a path below `base`. */
export function pointerPath(base: YamlPath, pointer: string): YamlPath {
  const segments = pointer.split("/").slice(1);
  return [...base, ...segments.map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"))];
}
