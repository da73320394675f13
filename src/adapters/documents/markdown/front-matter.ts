import { parseStrictYaml } from "../../strict-yaml.ts";

/** What begins a text and is about it: YAML between two lines of `---`. */
export interface FrontMatter {
  /** Where the text goes on; 0 without front matter. */
  readonly end: number;
  /** Empty where there is none, or it cannot be read. */
  readonly title: string;
}

const MAX_UNITS = 64 * 1024;

export function readFrontMatter(text: string): FrontMatter {
  const none = { end: 0, title: "" };
  if (!text.startsWith("---\n")) return none;
  const head = text.slice(0, MAX_UNITS);
  const close = /\n(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(head.slice(3));
  // Between two thematic breaks there may be ordinary text, which is not lost because of what stands around it.
  if (!close) return none;
  const result = parseStrictYaml(head.slice(4, 3 + close.index + 1));
  if (!result.ok || typeof result.value !== "object" || result.value === null) return none;
  const { title } = result.value as { title?: unknown };
  return { end: 3 + close.index + close[0].length, title: typeof title === "string" ? title : "" };
}
