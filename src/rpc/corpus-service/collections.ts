import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type DeleteCollectionRequest,
  DeleteCollectionRequestSchema,
  type DeleteCollectionResponseSchema,
  type ListCollectionsResponseSchema,
} from "../../../gen/sluice/v1/corpus_service_pb.ts";
import type { Call } from "../../core/call.ts";
import type { CorpusStore } from "../../core/corpus.ts";
import { checkMessage } from "../../pipeline/validate.ts";
import { collectionMessage } from "./messages.ts";

/** CorpusService.ListCollections. */
export async function listCollections(
  corpus: CorpusStore,
  { caller, signal }: Call,
): Promise<MessageInitShape<typeof ListCollectionsResponseSchema>> {
  const found = await corpus.collections(caller.tenant, signal);
  return { collections: found.map(collectionMessage) };
}

/** CorpusService.DeleteCollection. */
export async function deleteCollection(
  corpus: CorpusStore,
  { caller, signal }: Call,
  request: DeleteCollectionRequest,
): Promise<MessageInitShape<typeof DeleteCollectionResponseSchema>> {
  checkMessage(DeleteCollectionRequestSchema, request);
  const { documentCount, chunkCount } = await corpus.deleteCollection(caller.tenant, request.collection, signal);
  return { documentCount: BigInt(documentCount), chunkCount: BigInt(chunkCount) };
}
