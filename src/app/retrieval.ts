import { createDocumentReader } from "../adapters/documents/index.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { EmbedBatches, type EmbedBatchesPorts } from "../pipeline/embed.ts";
import type { CorpusPorts } from "../pipeline/put-documents.ts";
import { openCorpus } from "./corpus.ts";
import type { OpeningDatabase } from "./database.ts";
import { openEmbeddings } from "./embeddings.ts";
import { openVectors } from "./vectors.ts";

type RetrievalPorts = Pick<
  CorpusPorts,
  "embeddingModels" | "vectors" | "vectorTtlMs" | "embedBatches" | "corpus" | "documents"
>;

/** Everything between a document and a passage: reading, embedding, storing, searching. Nothing of it is waited for. */
export function openRetrieval(
  config: Config,
  database: OpeningDatabase,
  ports: Omit<EmbedBatchesPorts, "vectors" | "coalesceMs"> & { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): RetrievalPorts {
  const vectors = openVectors(config, ports, stack);
  const documents = createDocumentReader(ports);
  stack.defer(() => documents.close());
  const { coalesce_ms, ttl_seconds } = config.embeddings;
  return {
    vectors,
    documents,
    corpus: openCorpus(database, ports, stack),
    embeddingModels: openEmbeddings(config, ports, stack),
    embedBatches: new EmbedBatches({ ...ports, vectors, coalesceMs: coalesce_ms }),
    vectorTtlMs: ttl_seconds * 1000,
  };
}
