import { create } from "@bufbuild/protobuf";
import { type ContextChunk, ContextChunkSchema } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { type RetrievedChunk, RetrievedChunkSchema } from "../../../gen/sluice/v1/retrieval_pb.ts";
import type { FoundChunk } from "../../core/corpus.ts";

/** The name by which a chunk is cited. Ids of documents hold no `#`, so it is unique in a collection. */
export function chunkId({ documentId, ordinal }: Pick<FoundChunk, "documentId" | "ordinal">): string {
  return `${documentId}#${ordinal}`;
}

/** What a chunk's id looks like: what a model names in this form and never saw, it made up. */
export const CHUNK_ID = /^[^#[\]]{1,200}#[0-9]{1,6}$/;

export function retrievedChunk(found: FoundChunk): RetrievedChunk {
  return create(RetrievedChunkSchema, {
    id: chunkId(found),
    documentId: found.documentId,
    title: found.title,
    headingPath: [...found.headingPath],
    startOffsetBytes: BigInt(found.startOffsetBytes),
    endOffsetBytes: BigInt(found.endOffsetBytes),
    text: found.text,
    similarity: found.similarity,
    score: found.score,
    metadata: found.metadata,
  });
}

/**
 * A retrieved chunk as one of the request's context. Without a score: where the window is too small the worst ranked go
 * first as it is, and a similarity that differs in its last digits must not make another request of the same texts.
 */
export function contextChunk({ id, text }: RetrievedChunk): ContextChunk {
  return create(ContextChunkSchema, { id, text });
}
