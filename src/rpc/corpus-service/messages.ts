import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { CollectionSchema, DocumentSchema } from "../../../gen/sluice/v1/corpus_pb.ts";
import type { StoredCollection, StoredDocument } from "../../core/corpus.ts";

export function documentMessage(document: StoredDocument): MessageInitShape<typeof DocumentSchema> {
  const { id, title, contentHash, chunkCount, metadata } = document;
  return {
    ...{ id, title, contentHash, chunkCount, metadata },
    textBytes: BigInt(document.textBytes),
    updateTime: timestampFromMs(document.updatedAtMs),
  };
}

export function collectionMessage(collection: StoredCollection): MessageInitShape<typeof CollectionSchema> {
  const { name, embeddingModel, dimension, language, corpusVersion, isIndexed, reembeddingModel = "" } = collection;
  return {
    ...{ name, embeddingModel, dimension, language, corpusVersion, isIndexed, reembeddingModel },
    documentCount: BigInt(collection.documentCount),
    chunkCount: BigInt(collection.chunkCount),
    createTime: timestampFromMs(collection.createdAtMs),
    updateTime: timestampFromMs(collection.updatedAtMs),
  };
}
