/** A fenced code block of a Markdown text. */
export interface Fence {
  /** The language and whatever else stands after the opening fence: for "```sh run" these are "sh" and ["run"]. */
  language: string;
  words: string[];
  /** The code, with the newline of its last line. */
  text: string;
  /** The line of the opening fence, from 1. */
  line: number;
  /** The headings it stands under, outermost first. */
  headings: string[];
}

/** A line outside of all fences. */
export interface ProseLine {
  text: string;
  /** From 1. */
  line: number;
}

/** All fenced code blocks of a Markdown text, in order. Throws where one is not closed. */
export function fences(markdown: string): Fence[] {
  return split(markdown).fences;
}

/** The lines that belong to no fenced code block. */
export function proseLines(markdown: string): ProseLine[] {
  return split(markdown).prose;
}

function split(markdown: string): { fences: Fence[]; prose: ProseLine[] } {
  const prose: ProseLine[] = [];
  const found: Fence[] = [];
  const headings: string[] = [];
  let open: { mark: string; indent: number; fence: Fence } | undefined;
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    if (open) {
      if (closes(text, open.mark)) open = undefined;
      else open.fence.text += `${dedent(text, open.indent)}\n`;
      continue;
    }
    const [, indent = "", mark, info = ""] = /^( {0,3})(`{3,}|~{3,})([^`]*)$/.exec(text) ?? [];
    if (mark === undefined) {
      noteHeading(text, headings);
      prose.push({ text, line: index + 1 });
      continue;
    }
    const [language = "", ...words] = info.trim().split(/\s+/);
    const fence = {
      language,
      words,
      text: "",
      line: index + 1,
      headings: headings.filter((heading) => heading !== ""),
    };
    found.push(fence);
    open = { mark, indent: indent.length, fence };
  }
  if (open) throw new Error(`the code block of line ${open.fence.line} is not closed`);
  return { fences: found, prose };
}

function closes(text: string, mark: string): boolean {
  const closing = text.trim();
  return closing.length >= mark.length && closing === (mark[0] ?? "").repeat(closing.length);
}

function dedent(text: string, indent: number): string {
  return text.replace(new RegExp(`^ {0,${indent}}`), "");
}

function noteHeading(text: string, headings: string[]): void {
  const [, marks, title] = /^(#{1,6})\s+(.+?)\s*#*$/.exec(text) ?? [];
  if (marks === undefined || title === undefined) return;
  headings.length = Math.min(headings.length, marks.length - 1);
  while (headings.length < marks.length - 1) headings.push("");
  headings.push(title);
}
