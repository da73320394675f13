import { Parser } from "htmlparser2";
import { cleanText } from "../clean-text.ts";
import { MAX_TEXT_BYTES } from "../limits.ts";
import { outlineOfMarkdown } from "../markdown/outline.ts";
import type { Outline } from "../outline.ts";
import { MarkdownWriter } from "./markdown-writer.ts";
import { SkippedElements } from "./skipped.ts";

/** A piece at a time, so that a text that grows too large ends the work early. */
const PIECE_UNITS = 64 * 1024;
/** Marks of items deeper than this are not indented further. */
const MAX_INDENTED_LISTS = 6;

const blockNames = new Set([
  ...[
    "address",
    "article",
    "blockquote",
    "body",
    "center",
    "details",
    "div",
    "dl",
    "dt",
    "dd",
    "fieldset",
    "figcaption",
  ],
  ...["figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "main", "menu", "ol", "p", "section"],
  ...["summary", "table", "caption", "tbody", "thead", "tfoot", "ul", "search"],
]);

/** The text of an HTML document as Markdown, with the structure that it had. Any text is read, as browsers do. */
export function outlineOfHtml(html: string): Outline {
  const reader = new HtmlReader();
  const parser = new Parser(
    {
      onopentag: (name, attributes) => reader.open(name, attributes),
      onclosetag: (name) => reader.close(name),
      ontext: (text) => reader.text(text),
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  );
  for (let start = 0; start < html.length; ) {
    // A pair of surrogates is never parted.
    const end = start + PIECE_UNITS - (/[\uD800-\uDBFF]/.test(html.charAt(start + PIECE_UNITS - 1)) ? 1 : 0);
    parser.write(html.slice(start, end));
    start = end;
  }
  parser.end();
  const { text, title } = reader.end();
  const outline = outlineOfMarkdown(text, false);
  return { ...outline, title };
}

class HtmlReader {
  readonly #skipped = new SkippedElements();
  readonly #writer = new MarkdownWriter(MAX_TEXT_BYTES);
  /** The number of the last item of each open list; undefined where items have no numbers. */
  readonly #lists: (number | undefined)[] = [];
  #openCells = 0;
  #openPre = 0;
  #headingLevel: number | undefined;
  #isInTitle = false;
  #title = "";
  #firstHeading = "";

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#skipped.open(name, attributes);
    if (this.#skipped.isSkipping) return;
    if (name === "title") this.#isInTitle = this.#title === "";
    else if (name === "br") this.#lineBreak();
    // The author's own words for what readers see; decorations have none. Searches find figures by them.
    else if (name === "img" || name === "area") this.#writer.text(` ${attributes.alt ?? ""} `);
    else if (name === "pre") this.#openCode();
    else if (this.#openPre > 0) return;
    else if (/^h[1-6]$/.test(name)) this.#openHeading(Number(name.slice(1)));
    else if (name === "li") this.#openItem();
    else if (name === "td" || name === "th") this.#openCell();
    else if (name === "tr") this.#writer.endBlock("\n");
    else if (blockNames.has(name)) this.#openBlock(name);
  }

  close(name: string): void {
    if (!this.#skipped.isSkipping) this.#closeShown(name);
    this.#skipped.close();
  }

  text(text: string): void {
    if (this.#skipped.isSkipping) return;
    if (this.#isInTitle) this.#title = (this.#title + text).slice(0, 4096);
    else this.#writer.text(cleanText(text));
  }

  end(): { text: string; title: string } {
    return { text: this.#writer.end(), title: this.#title.trim() || this.#firstHeading };
  }

  #closeShown(name: string): void {
    if (name === "title") this.#isInTitle = false;
    else if (name === "pre") this.#closeCode();
    else if (this.#openPre > 0) return;
    else if (/^h[1-6]$/.test(name)) this.#closeHeading();
    else if (name === "ol" || name === "ul" || name === "menu") this.#closeList();
    else if (name === "li") this.#breakBlock("\n");
    else if (name === "tr") this.#writer.endBlock("\n");
    else if (name === "td" || name === "th") this.#openCells = Math.max(0, this.#openCells - 1);
    else if (name === "table") this.#writer.endBlock();
    else if (blockNames.has(name)) this.#breakBlock("\n\n");
  }

  #openBlock(name: string): void {
    if (name === "table") this.#writer.endBlock();
    else this.#breakBlock(name === "ol" || name === "ul" || name === "menu" ? "\n" : "\n\n");
    if (name === "ol") this.#lists.push(0);
    if (name === "ul" || name === "menu") this.#lists.push(undefined);
  }

  #closeList(): void {
    this.#lists.pop();
    this.#breakBlock(this.#lists.length > 0 ? "\n" : "\n\n");
  }

  #openItem(): void {
    this.#breakBlock("\n");
    if (this.#isInLine) return;
    const depth = Math.min(Math.max(0, this.#lists.length - 1), MAX_INDENTED_LISTS);
    const last = this.#lists.at(-1);
    if (last !== undefined) this.#lists[this.#lists.length - 1] = last + 1;
    this.#writer.prefix(`${"   ".repeat(depth)}${last === undefined ? "-" : `${last + 1}.`} `);
  }

  #openCell(): void {
    if (!this.#writer.isAtBlockStart) this.#writer.text(" | ");
    this.#openCells += 1;
  }

  #openHeading(level: number): void {
    this.#writer.endBlock();
    this.#headingLevel = level;
  }

  #closeHeading(): void {
    if (this.#headingLevel === undefined) return;
    const text = this.#writer.endHeading(this.#headingLevel);
    if (this.#headingLevel === 1) this.#firstHeading ||= text.slice(0, 4096);
    this.#headingLevel = undefined;
  }

  #openCode(): void {
    if (this.#openPre === 0) {
      if (this.#headingLevel !== undefined) this.#closeHeading();
      this.#writer.endBlock();
    }
    this.#openPre += 1;
  }

  #closeCode(): void {
    this.#openPre -= 1;
    if (this.#openPre === 0) this.#writer.endCode();
  }

  #lineBreak(): void {
    if (this.#openPre > 0) this.#writer.text("\n");
    else if (this.#isInLine) this.#writer.text(" ");
    else this.#writer.lineBreak();
  }

  /** A row of a table and a heading are one line, whatever stands in them. */
  get #isInLine(): boolean {
    return this.#openCells > 0 || this.#headingLevel !== undefined;
  }

  #breakBlock(gap: "\n" | "\n\n"): void {
    if (this.#isInLine) this.#writer.text(" ");
    else this.#writer.endBlock(gap);
  }
}
