import type { ChunkOptions } from "../../../core/documents.ts";
import type { Block, Outline, Section } from "../outline.ts";
import { atomsOf } from "./atoms.ts";
import { packAtoms } from "./pack.ts";
import { WEIGHT_PER_TOKEN, weightOf } from "./weight.ts";

/** A chunk without its text. */
export interface ChunkSpan {
  /** In UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly headingPath: readonly string[];
}

/**
 * Cuts a text into chunks, in order. Each has at most `maxTokens` (estimated), lies within one section, and has no white
 * space at its ends; starts and ends both rise strictly. Everything of the blocks that is not white space is in at least
 * one. The work is linear in the text. `maxTokens` is at least 8; more than half of it is never repeated.
 */
export function cutIntoChunks({ text, sections }: Outline, options: ChunkOptions): ChunkSpan[] {
  const maxWeight = Math.max(8, options.maxTokens) * WEIGHT_PER_TOKEN;
  const overlapWeight = Math.min(options.overlapTokens * WEIGHT_PER_TOKEN, maxWeight / 2);
  const chunks: ChunkSpan[] = [];
  for (const { headingPath, blocks } of withoutLoneHeadings(text, sections, maxWeight)) {
    const atoms = blocks.flatMap((block) => atomsOf(text, block, maxWeight));
    for (const pack of packAtoms(text, atoms, maxWeight, overlapWeight)) {
      const first = atoms[pack.start];
      const last = atoms[pack.end - 1];
      if (first && last) chunks.push({ start: first.start, end: last.end, headingPath });
    }
  }
  return chunks;
}

/** A section of a heading alone says little and joins the next one, as long as they leave that one most of its chunk. */
function* withoutLoneHeadings(text: string, sections: readonly Section[], maxWeight: number): Generator<Section> {
  let lone: Block[] = [];
  let loneWeight = 0;
  let path: readonly string[] = [];
  for (const { headingPath, blocks } of sections) {
    const [block] = blocks;
    if (blocks.length === 1 && block?.kind === "heading") {
      const weight = weightOf(text, block.start, block.end);
      if (lone.length > 0 && (loneWeight + weight) * 2 > maxWeight) {
        yield { headingPath: path, blocks: lone };
        lone = [];
        loneWeight = 0;
      }
      lone.push(block);
      loneWeight += weight;
      path = headingPath;
      continue;
    }
    yield { headingPath, blocks: [...lone, ...blocks] };
    lone = [];
    loneWeight = 0;
  }
  if (lone.length > 0) yield { headingPath: path, blocks: lone };
}
