import type { ServiceImpl } from "@connectrpc/connect";
import type { CorpusService } from "../../gen/sluice/v1/corpus_service_pb.ts";
import type { CorpusStore } from "../core/corpus.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { callOf } from "./call/call-setup.ts";
import { deleteCollection, listCollections } from "./corpus-service/collections.ts";
import { deleteDocuments, getDocument, listDocuments } from "./corpus-service/documents.ts";

export interface CorpusServicePorts {
  readonly pipeline: Pick<Pipeline, "putDocuments" | "reembed">;
  readonly corpus: CorpusStore;
}

/** CorpusService over the store of documents. What embeds goes through the pipeline. */
export function corpusService({ pipeline, corpus }: CorpusServicePorts): ServiceImpl<typeof CorpusService> {
  return {
    putDocuments: (request, context) => pipeline.putDocuments(callOf(context), request),
    getDocument: (request, context) => getDocument(corpus, callOf(context), request),
    deleteDocuments: (request, context) => deleteDocuments(corpus, callOf(context), request),
    listDocuments: (request, context) => listDocuments(corpus, callOf(context), request),
    listCollections: (_request, context) => listCollections(corpus, callOf(context)),
    deleteCollection: (request, context) => deleteCollection(corpus, callOf(context), request),
    reembedCollection: (request, context) => pipeline.reembed(callOf(context), request),
  };
}
