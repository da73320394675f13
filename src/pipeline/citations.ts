import { create } from "@bufbuild/protobuf";
import type { ContextChunk } from "../../gen/sluice/v1/completion_input_pb.ts";
import { type Citation, CitationSchema } from "../../gen/sluice/v1/completion_pb.ts";

/** The chunks that a text names in the form `[id]`, in the order of their first mention. Ids that hold `]` are not found. */
export function findCitations(text: string, chunks: readonly ContextChunk[]): Citation[] {
  if (chunks.length === 0) return [];
  const byId = new Map(chunks.map((chunk) => [chunk.id, chunk]));
  const found = new Map<string, Citation>();
  for (const [, id = ""] of text.matchAll(/\[([^[\]]{1,256})\]/g)) {
    const chunk = byId.get(id);
    if (chunk && !found.has(id)) found.set(id, create(CitationSchema, { chunkId: id, score: chunk.score }));
  }
  return [...found.values()];
}
