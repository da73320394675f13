import type { Block, Outline } from "./outline.ts";

/** Paragraphs are what empty lines separate. There is no other structure in a plain text. */
export function outlineOfPlainText(text: string, title = ""): Outline {
  const blocks: Block[] = [];
  let start = 0;
  for (const gap of text.matchAll(/\n[^\S\n]*\n/g)) {
    addBlock(start, gap.index);
    start = gap.index + gap[0].length;
  }
  addBlock(start, text.length);
  return { title, text, sections: [{ headingPath: [], blocks }] };

  function addBlock(from: number, to: number): void {
    if (/\S/.test(text.slice(from, to))) blocks.push({ start: from, end: to, kind: "prose" });
  }
}
