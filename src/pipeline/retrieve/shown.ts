import { create } from "@bufbuild/protobuf";
import { type Citation, CitationSchema, type Retrieval } from "../../../gen/sluice/v1/completion_pb.ts";

/** The part of a retrieval that a model saw, in the order of the retrieval. */
export function shownOf(
  retrieval: Retrieval | undefined,
  shown: readonly { readonly id: string }[],
): Retrieval | undefined {
  if (!retrieval) return undefined;
  const ids = new Set(shown.map(({ id }) => id));
  return { ...retrieval, chunks: retrieval.chunks.filter(({ id }) => ids.has(id)) };
}

/** For those who have the texts elsewhere. */
export function withoutTexts(retrieval: Retrieval): Retrieval {
  return { ...retrieval, chunks: retrieval.chunks.map((chunk) => ({ ...chunk, text: "" })) };
}

/** The texts again, from another retrieval of the same chunks. */
export function withTextsOf(retrieval: Retrieval, other: Retrieval | undefined): Retrieval {
  const texts = new Map(other?.chunks.map(({ id, text }) => [id, text]));
  return {
    ...retrieval,
    chunks: retrieval.chunks.map((chunk) => ({ ...chunk, text: chunk.text || (texts.get(chunk.id) ?? "") })),
  };
}

/** Citations with the places that a retrieval has for them: the same text may have moved in its document since. */
export function placed(citations: readonly Citation[], retrieval: Retrieval | undefined): Citation[] {
  const chunks = new Map(retrieval?.chunks.map((chunk) => [chunk.id, chunk]));
  return citations.map((citation) => {
    const chunk = chunks.get(citation.chunkId);
    if (!chunk) return citation;
    const { documentId, title, startOffsetBytes, endOffsetBytes, similarity: score } = chunk;
    return create(CitationSchema, { ...citation, documentId, title, startOffsetBytes, endOffsetBytes, score });
  });
}
