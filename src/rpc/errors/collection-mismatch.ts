import { CollectionMismatchDetailSchema } from "../../../gen/sluice/v1/error_detail_pb.ts";
import { detail } from "./detail.ts";
import { type DetailRoom, excerpt, int32 } from "./detail-room.ts";
import type { FailureWith } from "./row.ts";

/** What the collection has, and what was asked for or is configured now. */
export function collectionMismatch(failure: FailureWith<"COLLECTION_MISMATCH">, room: DetailRoom) {
  const { collection, embeddingModel, dimension, language, requested } = failure;
  return [
    detail(CollectionMismatchDetailSchema, {
      collection: excerpt(collection, room),
      embeddingModel: excerpt(embeddingModel, room),
      dimension: int32(dimension),
      language: excerpt(language, room),
      requestedEmbeddingModel: excerpt(requested.embeddingModel ?? "", room),
      requestedDimension: int32(requested.dimension ?? 0),
      requestedLanguage: excerpt(requested.language ?? "", room),
    }),
  ];
}
