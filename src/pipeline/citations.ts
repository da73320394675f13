import { create } from "@bufbuild/protobuf";
import type { ContextChunk } from "../../gen/sluice/v1/completion_input_pb.ts";
import { type Citation, CitationSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { CHUNK_ID } from "./retrieve/chunk-messages.ts";

const BRACKETED = /\[([^[\]]{1,256})\]/g;

/** The chunks that a text names in the form `[id]`, in the order of their first mention. Ids that hold `]` are not found. */
export function findCitations(text: string, chunks: readonly ContextChunk[]): Citation[] {
  if (chunks.length === 0) return [];
  const byId = new Map(chunks.map((chunk) => [chunk.id, chunk]));
  const found = new Map<string, Citation>();
  for (const [, id = ""] of text.matchAll(BRACKETED)) {
    const chunk = byId.get(id);
    if (chunk && !found.has(id)) found.set(id, create(CitationSchema, { chunkId: id, score: chunk.score }));
  }
  return [...found.values()];
}

/** Most that are told. */
const MAX_UNKNOWN = 16;

/** What a text names as if it were a retrieved chunk, and the model never saw. */
export function findUnknownCitations(text: string, chunks: readonly Pick<ContextChunk, "id">[]): string[] {
  const known = new Set(chunks.map(({ id }) => id));
  const found = new Set<string>();
  for (const [, id = ""] of text.matchAll(BRACKETED)) {
    if (CHUNK_ID.test(id) && !known.has(id)) found.add(id);
  }
  return [...found].slice(0, MAX_UNKNOWN);
}
