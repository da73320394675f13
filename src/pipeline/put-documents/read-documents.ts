import type { DocumentInput } from "../../../gen/sluice/v1/corpus_pb.ts";
import { type DocumentReader, type ReadDocument, UnreadableDocumentError } from "../../core/documents.ts";
import { invalidRequest } from "../../core/failure.ts";
import { contentOf } from "./valid-request.ts";

/** A document of the request that must be read. */
export interface ChangedDocument {
  /** Its place in the request. */
  readonly index: number;
  readonly input: DocumentInput;
  readonly contentHash: string;
}

export interface ChangedAndRead extends ChangedDocument {
  readonly read: ReadDocument;
}

/** Beyond this the vectors of one request would fill the memory. 8 MiB of text have about half as many. */
const MAX_CHUNKS = 20_000;
const CONCURRENT_READS = 4;

/**
 * Reads and cuts documents, a few at a time, in their order.
 * @throws SluiceError INVALID_REQUEST that names the content, such as `documents[2].html`; the signal's reason.
 */
export async function readDocuments(
  reader: DocumentReader,
  changed: readonly ChangedDocument[],
  signal: AbortSignal,
): Promise<ChangedAndRead[]> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const done: ChangedAndRead[] = [];
  let chunks = 0;
  const waiting = changed.entries();
  const work = async () => {
    for (const [place, document] of waiting) {
      const read = await readOne(reader, document, both);
      chunks += read.chunks.length;
      if (chunks > MAX_CHUNKS) {
        throw invalidRequest("documents", "documents.max_chunks", `must have at most ${MAX_CHUNKS} chunks together`);
      }
      done[place] = { ...document, read };
    }
  };
  try {
    // The iterator is shared: each takes the next one that nobody has taken.
    await Promise.all(Array.from({ length: Math.min(CONCURRENT_READS, changed.length) }, work));
  } finally {
    stop.abort();
  }
  return done;
}

async function readOne(reader: DocumentReader, { input, index }: ChangedDocument, signal: AbortSignal) {
  signal.throwIfAborted();
  try {
    return await reader.read(contentOf(input), signal);
  } catch (error) {
    if (!(error instanceof UnreadableDocumentError)) throw error;
    const field = `documents[${index}].${input.content.case}`;
    throw invalidRequest(field, `document.${error.reason}`, error.message);
  }
}
