import type { Block, Outline, Section } from "../outline.ts";
import { readFrontMatter } from "./front-matter.ts";
import { inlineText } from "./inline-text.ts";
import { type MarkdownNode, parseBlocks } from "./parse.ts";
import { pieceStarts } from "./pieces.ts";

const MAX_HEADING_CHARACTERS = 200;
const MAX_HEADINGS = 6;

/** The blocks of a Markdown text. Only headings at the margin make sections; those within quotes and lists are text. */
export function outlineOfMarkdown(text: string, hasFrontMatter = true): Outline {
  const frontMatter = hasFrontMatter ? readFrontMatter(text) : { end: 0, title: "" };
  const sections = new Sections(text);
  const starts = pieceStarts(text, frontMatter.end);
  starts.forEach((start, index) => {
    const piece = text.slice(start, starts[index + 1] ?? text.length);
    for (const node of parseBlocks(piece)) sections.add(node, start);
  });
  return { title: sections.title ?? frontMatter.title, text, sections: sections.all };
}

class Sections {
  readonly all: Section[] = [];
  /** The text of the first heading of level 1. */
  title: string | undefined;
  readonly #text: string;
  /** The open headings, outermost first. */
  #path: { readonly depth: number; readonly text: string }[] = [];
  #blocks: Block[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  add(node: MarkdownNode, offset: number): void {
    const start = offset + node.start;
    const end = offset + node.end;
    if (node.type === "heading") this.#open(node.depth ?? 1, this.#headingText(node, offset));
    const block = this.#block(node, start, end, offset);
    if (!block) return;
    if (!this.#blocks) this.#begin();
    this.#blocks?.push(block);
  }

  #open(depth: number, text: string): void {
    if (depth === 1) this.title ??= text || undefined;
    this.#path = [...this.#path.filter((heading) => heading.depth < depth), { depth, text }];
    this.#begin();
  }

  #begin(): void {
    this.#blocks = [];
    const texts = this.#path.map(({ text }) => text).filter((text) => text !== "");
    this.all.push({ headingPath: texts.slice(0, MAX_HEADINGS), blocks: this.#blocks });
  }

  #headingText(node: MarkdownNode, offset: number): string {
    const first = node.children?.at(0);
    const last = node.children?.at(-1);
    if (!first || !last) return "";
    const text = inlineText(
      this.#text.slice(offset + first.start, Math.min(offset + last.end, offset + first.start + 1000)),
    );
    return Array.from(text).slice(0, MAX_HEADING_CHARACTERS).join("").trim();
  }

  #block(node: MarkdownNode, start: number, end: number, offset: number): Block | undefined {
    switch (node.type) {
      case "heading":
        return { start, end, kind: "heading" };
      case "code":
        return { start, end, kind: "lines" };
      case "list":
        return { start, end, kind: "list", itemStarts: itemStarts(node, offset) };
      case "thematicBreak":
        return undefined;
      case "html":
        return isComment(this.#text, start, end) ? undefined : { start, end, kind: "lines" };
      default:
        return { start, end, kind: isTable(this.#text.slice(start, end)) ? "lines" : "prose" };
    }
  }
}

/** Items of every depth, in their order. */
function itemStarts(list: MarkdownNode, offset: number): number[] {
  const starts: number[] = [];
  const open = [list];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.type === "listItem") starts.push(offset + node.start);
    for (const child of node.children ?? []) open.push(child);
  }
  return starts.sort((a, b) => a - b);
}

function isComment(text: string, start: number, end: number): boolean {
  return text.startsWith("<!--", start) && text.indexOf("-->", start) === end - 3;
}

/** Rows are lines with a bar in each. (CommonMark has no tables: it sees a paragraph.) */
function isTable(text: string): boolean {
  if (!text.includes("\n")) return false;
  return text.split("\n").every((line) => line.includes("|"));
}
