import type {
  ChunkQuery,
  FoundChunk,
  Metadata,
  MetadataCondition,
  NewChunk,
  NewDocument,
} from "../../../src/core/corpus.ts";

/** What is usual for reciprocal ranks. */
const RANK_CONSTANT = 60;

/** A chunk with its document, and the vector that answers now. */
export interface SearchedChunk {
  readonly document: Pick<NewDocument, "id" | "title" | "metadata">;
  readonly ordinal: number;
  readonly chunk: NewChunk;
}

/** Every chunk is compared. */
export function searchExactly(chunks: readonly SearchedChunk[], query: ChunkQuery): FoundChunk[] {
  const fitting = chunks
    .filter(({ document }) => query.filter.every((condition) => fits(document.metadata, condition)))
    .map((searched) => ({ searched, similarity: dot(searched.chunk.vector, query.vector) }));
  const byMeaning = fitting
    .filter(({ similarity }) => similarity >= (query.minSimilarity ?? Number.NEGATIVE_INFINITY))
    .sort((a, b) => b.similarity - a.similarity);
  if (query.words === undefined) {
    return byMeaning.slice(0, query.topK).map(({ searched, similarity }) => found(searched, similarity, similarity));
  }
  const wanted = wordsOf(query.words);
  const byWords = fitting
    .map((candidate) => ({ candidate, hits: wordsIn(candidate.searched.chunk.text, wanted) }))
    .filter(({ hits }) => hits > 0)
    .sort((a, b) => b.hits - a.hits)
    .map(({ candidate }) => candidate);
  const scores = new Map<(typeof fitting)[number], number>();
  for (const ranked of [byMeaning, byWords]) {
    ranked.forEach((candidate, rank) => {
      scores.set(candidate, (scores.get(candidate) ?? 0) + 1 / (RANK_CONSTANT + rank + 1));
    });
  }
  return [...scores]
    .sort(([, a], [, b]) => b - a)
    .slice(0, query.topK)
    .map(([{ searched, similarity }, score]) => found(searched, similarity, score));
}

function found({ document, ordinal, chunk }: SearchedChunk, similarity: number, score: number): FoundChunk {
  const { vector: _, ...fields } = chunk;
  const { id: documentId, title, metadata } = document;
  return { ...fields, documentId, title, metadata, ordinal, similarity, score };
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
}

function wordsIn(text: string, wanted: ReadonlySet<string>): number {
  return [...wordsOf(text)].filter((word) => wanted.has(word)).length;
}

function fits(metadata: Metadata, condition: MetadataCondition): boolean {
  const value = Object.hasOwn(metadata, condition.key) ? metadata[condition.key] : undefined;
  if (condition.test === "exists") return (value !== undefined) === condition.exists;
  if (value === undefined) return false;
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (condition.test === "in") return condition.values.some((wanted) => items.includes(wanted));
  const { gt, gte, lt, lte } = condition;
  const bounds: (readonly [string | number | undefined, (order: number) => boolean])[] = [
    [gt, (order) => order > 0],
    [gte, (order) => order >= 0],
    [lt, (order) => order < 0],
    [lte, (order) => order <= 0],
  ];
  return bounds.every(([bound, holds]) => bound === undefined || compares(value, bound, holds));
}

function compares(value: unknown, bound: string | number, holds: (order: number) => boolean): boolean {
  if (typeof value === "number" && typeof bound === "number") return holds(value - bound);
  if (typeof value === "string" && typeof bound === "string") return holds(byCodePoints(value, bound));
  return false;
}

/** Bytes of UTF-8 are in the order of code points. */
export function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
