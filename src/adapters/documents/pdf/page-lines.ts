/** A piece of text as pdf.js gives it. */
export interface TextItem {
  readonly str: string;
  readonly hasEOL: boolean;
  /** The last two numbers are where it stands: x and y, which grows upwards. */
  readonly transform: readonly unknown[];
}

interface Line {
  readonly text: string;
  readonly y: number;
}

/** How much more than the usual distance of lines on the page begins a paragraph. */
const PARAGRAPH_GAP = 1.4;

/** Makes lines, and of lines paragraphs, from the pieces of a page. */
export class PageLines {
  readonly #lines: Line[] = [];
  #parts: string[] = [];
  #y = 0;

  add({ str, hasEOL, transform }: TextItem): void {
    if (this.#parts.length === 0) this.#y = Number(transform[5]) || 0;
    if (str !== "") this.#parts.push(str);
    if (hasEOL) this.#endLine();
  }

  /** An empty line stands where the distance is larger than usual; a line further up on the page (a new column) is none. */
  text(): string {
    this.#endLine();
    const distances = this.#lines.map(({ y }, index) => (this.#lines[index - 1]?.y ?? y) - y);
    const sorted = distances.filter((distance) => distance > 0).sort((a, b) => a - b);
    const usual = sorted[Math.floor(sorted.length / 2)] ?? 0;
    // Of one or two distances none is usual.
    const limit = sorted.length < 3 ? Number.POSITIVE_INFINITY : usual * PARAGRAPH_GAP;
    return this.#lines
      .map(({ text }, index) => (index === 0 ? text : `${(distances[index] ?? 0) > limit ? "\n\n" : "\n"}${text}`))
      .join("");
  }

  #endLine(): void {
    const text = this.#parts.join("").replace(/\s+/g, " ").trim();
    if (text !== "") this.#lines.push({ text, y: this.#y });
    this.#parts = [];
  }
}
