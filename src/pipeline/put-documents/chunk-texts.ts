import type { EmbeddingTarget } from "../../core/embedding.ts";
import type { TokenCounter } from "../../core/tokens.ts";
import { embeddedText, fitsModel } from "../embedded-text.ts";
import type { ChangedAndRead } from "./read-documents.ts";

/** So many texts are counted before others get their turn. */
const COUNTED_AT_ONCE = 32;

/** What is embedded of a chunk. */
export interface ChunkText {
  readonly text: string;
  /** Path of the chunk, for errors. */
  readonly field: string;
}

/** The texts of all chunks, in the order of the documents. Counting makes room for other calls. */
export async function chunkTexts(
  counter: TokenCounter,
  target: EmbeddingTarget,
  documents: readonly ChangedAndRead[],
  signal: AbortSignal,
): Promise<ChunkText[]> {
  const fits = fitsModel(counter, target);
  const texts: ChunkText[] = [];
  for (const { index, input, read } of documents) {
    const title = input.title || read.title;
    for (const [chunk, { headingPath, text }] of read.chunks.entries()) {
      await makeRoom(texts.length, signal);
      const field = `documents[${index}].chunks[${chunk}]`;
      texts.push({ text: embeddedText({ title, headingPath, text }, fits), field });
    }
  }
  return texts;
}

/** Lets others get their turn before every so many-th text. @throws the signal's reason. */
export async function makeRoom(index: number, signal: AbortSignal): Promise<void> {
  if (index % COUNTED_AT_ONCE !== 0) return;
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
