import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient as createServiceClient, type Transport } from "@connectrpc/connect";
import type { Collection, Document } from "../../../gen/sluice/v1/corpus_pb.ts";
import {
  CorpusService,
  type DeleteCollectionResponse,
  type DeleteDocumentsResponse,
  type PutDocumentsRequestSchema,
  type PutDocumentsResponse,
  type ReembedCollectionRequestSchema,
  type ReembedCollectionResponse,
} from "../../../gen/sluice/v1/corpus_service_pb.ts";
import {
  type EmbedRequestSchema,
  type EmbedResponse,
  PipelineService,
  type RetrieveRequestSchema,
  type RetrieveResponse,
} from "../../../gen/sluice/v1/pipeline_service_pb.ts";
import { answered, translated } from "./answered.ts";
import { ConnectionError } from "./connection-error.ts";

/** Collections, documents and embeddings of a running server. Every method throws `ConnectionError` or `RemoteError`. */
export interface CorpusClient {
  embed(request: MessageInitShape<typeof EmbedRequestSchema>): Promise<EmbedResponse>;
  retrieve(request: MessageInitShape<typeof RetrieveRequestSchema>): Promise<RetrieveResponse>;
  /** May take as long as the server lets any call. Aborting ends it at once. */
  putDocuments(
    request: MessageInitShape<typeof PutDocumentsRequestSchema>,
    signal: AbortSignal,
  ): Promise<PutDocumentsResponse>;
  /** With its text. */
  getDocument(collection: string, documentId: string): Promise<Document | undefined>;
  /** Of those only that were removed by this call. */
  deleteDocuments(collection: string, documentIds: readonly string[]): Promise<DeleteDocumentsResponse>;
  /** All whose ids begin so, by id; pages are fetched as they are needed. */
  listDocuments(collection: string, idPrefix: string): AsyncIterable<Document>;
  listCollections(): Promise<readonly Collection[]>;
  deleteCollection(collection: string): Promise<DeleteCollectionResponse>;
  /** As `putDocuments`. */
  reembedCollection(
    request: MessageInitShape<typeof ReembedCollectionRequestSchema>,
    signal: AbortSignal,
  ): AsyncIterable<ReembedCollectionResponse>;
}

const PAGE_SIZE = 1_000;
/** A day: the server caps it to what it allows. */
const LONGEST = { "connect-timeout-ms": "86400000" };

export function createCorpusClient(transport: Transport, url: string): CorpusClient {
  const corpus = createServiceClient(CorpusService, transport);
  const pipeline = createServiceClient(PipelineService, transport);
  return {
    embed: (request) => answered(url, () => pipeline.embed(request)),
    retrieve: (request) => answered(url, () => pipeline.retrieve(request)),
    putDocuments: (request, signal) => answered(url, () => corpus.putDocuments(request, { signal, headers: LONGEST })),
    getDocument: (collection, documentId) =>
      twice(url, async () => (await corpus.getDocument({ collection, documentId })).document),
    deleteDocuments: (collection, documentIds) =>
      twice(url, () => corpus.deleteDocuments({ collection, documentIds: [...documentIds] })),
    listCollections: () => twice(url, async () => (await corpus.listCollections({})).collections),
    deleteCollection: (collection) => answered(url, () => corpus.deleteCollection({ collection })),
    async *listDocuments(collection, idPrefix) {
      let pageToken = "";
      do {
        const request = { collection, idPrefix, pageToken, pageSize: PAGE_SIZE };
        const page = await twice(url, () => corpus.listDocuments(request));
        yield* page.documents;
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    },
    async *reembedCollection(request, signal) {
      let hasAnswered = false;
      try {
        for await (const event of corpus.reembedCollection(request, { signal, headers: LONGEST })) {
          hasAnswered = true;
          yield event;
        }
      } catch (error) {
        throw await translated(error, url, hasAnswered);
      }
    },
  };
}

/** The answer of a call that may be repeated: a connection that was kept open may be closed just when it is used again. */
async function twice<T>(url: string, call: () => Promise<T>): Promise<T> {
  try {
    return await answered(url, call);
  } catch (error) {
    if (!(error instanceof ConnectionError) || error.fault !== "broken") throw error;
    return await answered(url, call);
  }
}
