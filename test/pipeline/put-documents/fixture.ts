import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { PutDocumentsRequestSchema } from "../../../gen/sluice/v1/corpus_service_pb.ts";
import { type DocumentReader, type ReadDocument, UnreadableDocumentError } from "../../../src/core/documents.ts";
import type { EmbeddingTarget } from "../../../src/core/embedding.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import { EmbedBatches } from "../../../src/pipeline/embed.ts";
import { type CorpusPorts, putDocuments } from "../../../src/pipeline/put-documents.ts";
import { embeddingCatalog, embeddingTarget } from "../../support/embedding-models.ts";
import { MemoryCorpus } from "../../support/memory-corpus.ts";
import { pipelinePorts, testCall } from "../../support/pipeline-ports.ts";

/** A chunk for each paragraph; the words "broken", "blank" and "huge" alone are documents that cannot be read. */
export function paragraphReader(): DocumentReader & { readonly read: DocumentReader["read"]; count: number } {
  const reader = {
    count: 0,
    async read(content: Parameters<DocumentReader["read"]>[0], signal: AbortSignal): Promise<ReadDocument> {
      signal.throwIfAborted();
      reader.count += 1;
      const text = content.kind === "pdf" ? Buffer.from(content.bytes).toString() : content.text;
      if (text === "broken") throw new UnreadableDocumentError("broken", "it is broken");
      if (text === "blank") throw new UnreadableDocumentError("empty", "it has no text");
      if (text === "huge") throw new UnreadableDocumentError("too_large", "it is too large");
      const title = /^# (.*)$/m.exec(text)?.[1] ?? "";
      let at = 0;
      const chunks = text.split("\n\n").map((paragraph) => {
        const startOffsetBytes = Buffer.byteLength(text.slice(0, at));
        at += paragraph.length + 2;
        const endOffsetBytes = startOffsetBytes + Buffer.byteLength(paragraph);
        return { text: paragraph, headingPath: title === "" ? [] : [title, "Part"], startOffsetBytes, endOffsetBytes };
      });
      return { title, text, chunks };
    },
  };
  return reader;
}

export interface Fixture {
  readonly ports: ReturnType<typeof pipelinePorts> & CorpusPorts;
  readonly corpus: MemoryCorpus;
  readonly reader: ReturnType<typeof paragraphReader>;
}

/** The pipeline over a corpus in memory, and models of words. */
export function fixture(
  targets: readonly EmbeddingTarget[] = [embeddingTarget()],
  options: Parameters<typeof pipelinePorts>[1] = {},
): Fixture {
  const corpus = new MemoryCorpus();
  const reader = paragraphReader();
  const own = { corpus, documents: reader, embeddingModels: embeddingCatalog(...targets) };
  const ports = { ...pipelinePorts([], options), ...own };
  return { corpus, reader, ports: { ...ports, embedBatches: new EmbedBatches({ ...ports, coalesceMs: 0 }) } };
}

type Request = Exclude<MessageInitShape<typeof PutDocumentsRequestSchema>, { $typeName: string }>;

export function request(documents: Request["documents"], rest: Request = {}) {
  return create(PutDocumentsRequestSchema, { collection: "handbook", ...rest, ...(documents && { documents }) });
}

export const text = (id: string, value: string) => ({ id, content: { case: "text", value } }) as const;

export async function put(
  { ports }: Fixture,
  asked: ReturnType<typeof request>,
  call = testCall({ method: "PutDocuments" }),
) {
  return await putDocuments(ports, call, asked);
}

/** What a call failed with. */
export async function failureOf(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    if (error instanceof SluiceError) return error.failure;
    throw error;
  }
  throw new Error("the call did not fail");
}
