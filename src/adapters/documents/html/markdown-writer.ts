import { textTooLarge } from "../limits.ts";

/** Writes text as Markdown whose structure is only what it is told: text that looks like structure gets a backslash. */
export class MarkdownWriter {
  readonly #parts: string[] = [];
  /** What the current block is made of so far, with \n for line breaks. */
  #inline: string[] = [];
  #hasInline = false;
  #prefix = "";
  /** What parts the next block from the one before. */
  #gap: "\n" | "\n\n" = "\n\n";
  #length = 0;
  readonly #maxLength: number;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Text of a paragraph; white space in it is collapsed when the block ends. */
  text(text: string): void {
    this.#inline.push(text);
    this.#hasInline ||= /\S/.test(text);
    this.#grow(text.length);
  }

  lineBreak(): void {
    this.text("\u2028");
  }

  get isAtBlockStart(): boolean {
    return !this.#hasInline;
  }

  /** What the next block begins with, such as the mark of a list item. */
  prefix(prefix: string): void {
    this.#prefix = prefix;
  }

  /** Ends the current block, if there is one. The next one stands behind an empty line, or in the next line. */
  endBlock(gap: "\n" | "\n\n" = "\n\n"): void {
    const lines = this.#inline
      .join("")
      .split("\u2028")
      .map((line) => line.replace(/[ \t\n\r\f]+/g, " ").trim())
      .filter((line) => line !== "");
    this.#clear();
    if (lines.length > 0) {
      this.#write(this.#prefix + lines.map(escapeLine).join("\n"));
      this.#prefix = "";
      this.#gap = gap;
    } else if (gap === "\n\n") {
      this.#gap = gap;
    }
  }

  /** The current block as a heading. @returns its text */
  endHeading(level: number): string {
    const text = this.#inline.join("").replace(/\s+/g, " ").trim();
    this.#clear();
    this.#prefix = "";
    if (text === "") return "";
    this.#gap = "\n\n";
    // Numbers signs at the end would be read as a part of the mark.
    this.#write(`${"#".repeat(level)} ${text.replace(/(^|\s)(#+)$/, "$1\\$2")}`);
    this.#gap = "\n\n";
    return text;
  }

  /** The current block as it is, fenced. */
  endCode(): void {
    const code = this.#inline.join("").replace(/^\n+|\s+$/g, "");
    this.#clear();
    if (code.trim() === "") return;
    let longest = 2;
    for (const [run] of code.matchAll(/`{3,}/g)) longest = Math.max(longest, run.length);
    const fence = "`".repeat(longest + 1);
    this.#prefix = "";
    this.#gap = "\n\n";
    this.#write(`${fence}\n${code}\n${fence}`);
    this.#gap = "\n\n";
  }

  end(): string {
    this.endBlock();
    return this.#parts.join("");
  }

  #clear(): void {
    this.#inline = [];
    this.#hasInline = false;
  }

  #write(block: string): void {
    if (this.#parts.length > 0) this.#parts.push(this.#gap);
    this.#parts.push(block);
    this.#grow(2 + this.#prefix.length);
  }

  #grow(length: number): void {
    this.#length += length;
    if (this.#length > this.#maxLength) throw textTooLarge();
  }
}

/** What Markdown would read as a heading, its underline, a fence, a rule, front matter, or HTML, at the start of a line. */
function escapeLine(line: string): string {
  return /^(?:#{1,6}(?:\s|$)|=+$|-+$|`{3}|~{3}|<[a-z!?/])/i.test(line) ? `\\${line}` : line;
}
