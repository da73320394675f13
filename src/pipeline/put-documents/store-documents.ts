import type { CorpusStore, NewChunk } from "../../core/corpus.ts";
import type { ChangedAndRead } from "./read-documents.ts";

/** Where documents are stored, and the model of their vectors. */
export interface StorePlace {
  readonly tenant: string;
  readonly collection: string;
  readonly embeddingModel: string;
}

export interface StoredDocuments {
  /** Whether each of them was there before, in their order. */
  readonly replaced: readonly boolean[];
  /** After the last one; undefined where there was none. */
  readonly corpusVersion: string | undefined;
}

/**
 * Stores documents one after the other, each in a transaction of its own. What was stored before a failure stays: sent
 * again, it is unchanged.
 * @param vectors of the chunks of all documents, in their order.
 */
export async function storeDocuments(
  corpus: CorpusStore,
  { tenant, collection, embeddingModel }: StorePlace,
  documents: readonly ChangedAndRead[],
  vectors: readonly Float32Array[],
  signal: AbortSignal,
): Promise<StoredDocuments> {
  const replaced: boolean[] = [];
  let corpusVersion: string | undefined;
  let used = 0;
  for (const { input, contentHash, read } of documents) {
    signal.throwIfAborted();
    const chunks = read.chunks.map((chunk, index): NewChunk => ({ ...chunk, vector: at(vectors, used + index) }));
    used += chunks.length;
    const stored = await corpus.putDocument(
      tenant,
      collection,
      {
        ...{ id: input.id, contentHash, text: read.text, chunks },
        title: input.title || read.title,
        metadata: input.metadata ?? {},
      },
      embeddingModel,
      signal,
    );
    replaced.push(stored.replaced);
    corpusVersion = stored.corpusVersion;
  }
  return { replaced, corpusVersion };
}

function at(vectors: readonly Float32Array[], index: number): Float32Array {
  const vector = vectors[index];
  if (!vector) throw new Error("a chunk has no vector");
  return vector;
}
