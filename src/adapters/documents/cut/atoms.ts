import type { Block } from "../outline.ts";
import { hardCut } from "./hard-cut.ts";
import { sentenceStarts } from "./sentences.ts";
import { weightOf } from "./weight.ts";

/** How good a place for a cut is: within a word, at a word, at a sentence (item, line), at a block. */
export const CUT = { anywhere: 0, word: 1, sentence: 2, block: 3 } as const;
export type Cut = (typeof CUT)[keyof typeof CUT];

/** A piece that no chunk cuts. It has no white space at its ends and is never empty. */
export interface Atom {
  readonly start: number;
  readonly end: number;
  /** What lies at its start. */
  readonly cut: Cut;
  readonly kind: Block["kind"];
}

type Level = "items" | "lines" | "sentences" | "words" | "anywhere";

const levels: Readonly<Record<Block["kind"], readonly Level[]>> = {
  heading: ["words", "anywhere"],
  // A text without sentences may still have lines, such as a log.
  prose: ["sentences", "lines", "words", "anywhere"],
  list: ["items", "sentences", "lines", "words", "anywhere"],
  lines: ["lines", "words", "anywhere"],
};

/** The atoms of a block, in order; each weighs at most `maxWeight`. All of it that is not white space is in one. */
export function atomsOf(text: string, block: Block, maxWeight: number): Atom[] {
  const atoms: Atom[] = [];
  const add = (from: number, to: number, cut: Cut, depth: number) => {
    const start = skipBlanks(text, from, to);
    const end = skipBlanksBack(text, start, to);
    if (start === end) return;
    const level = levels[block.kind][depth];
    const mustSplit = depth === 0 && block.kind !== "heading";
    if (level === undefined || (!mustSplit && weightOf(text, start, end) <= maxWeight)) {
      atoms.push({ start, end, cut, kind: block.kind });
      return;
    }
    const cutInside = level === "anywhere" ? CUT.anywhere : level === "words" ? CUT.word : CUT.sentence;
    const starts = startsAt(level, text, { ...block, start, end }, maxWeight);
    starts.forEach((at, index) => {
      add(at, starts[index + 1] ?? end, index === 0 ? cut : cutInside, depth + 1);
    });
  };
  add(block.start, block.end, CUT.block, 0);
  return atoms;
}

function startsAt(level: Level, text: string, block: Block, maxWeight: number): number[] {
  const { start, end } = block;
  switch (level) {
    case "items":
      return [start, ...(block.itemStarts ?? []).filter((at) => at > start && at < end)];
    case "sentences":
      return sentenceStarts(text, start, end);
    case "lines":
      return [start, ...[...text.slice(start, end).matchAll(/\n/g)].map(({ index }) => start + index + 1)];
    case "words":
      return [
        start,
        ...[...text.slice(start, end).matchAll(/\s+/g)].map(({ index, 0: gap }) => start + index + gap.length),
      ];
    case "anywhere": {
      const starts = [];
      for (let at = start; at < end; at = hardCut(text, at, end, maxWeight)) starts.push(at);
      return starts;
    }
  }
}

function skipBlanks(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isBlank(text, at)) at++;
  return at;
}

function skipBlanksBack(text: string, from: number, to: number): number {
  let at = to;
  while (at > from && isBlank(text, at - 1)) at--;
  return at;
}

function isBlank(text: string, at: number): boolean {
  return /\s/.test(text.charAt(at));
}
