import type { PutDocumentsRequest } from "../../../gen/sluice/v1/corpus_service_pb.ts";
import type { CollectionSettings, StoredCollection } from "../../core/corpus.ts";
import type { EmbeddingCatalog, EmbeddingTarget } from "../../core/embedding.ts";
import { type Failure, SluiceError } from "../../core/failure.ts";

const DEFAULT_LANGUAGE = "english";

export interface ChosenSettings {
  readonly target: EmbeddingTarget;
  readonly settings: CollectionSettings;
}

/**
 * The model and the language that documents are put with: those of the collection, or of a new one as asked for.
 * @throws SluiceError UNKNOWN_MODEL; COLLECTION_MISMATCH where others are asked for than the collection has, or where its
 *   model is configured with another dimension now.
 */
export function chooseSettings(
  models: EmbeddingCatalog,
  { embeddingModel, language }: PutDocumentsRequest,
  existing: StoredCollection | undefined,
): ChosenSettings {
  if (!existing) {
    const target = models.resolve(embeddingModel || models.defaultAlias);
    const { alias, dimension } = target;
    return { target, settings: { embeddingModel: alias, dimension, language: language || DEFAULT_LANGUAGE } };
  }
  const isOther = embeddingModel !== "" && embeddingModel !== existing.embeddingModel;
  const speaksOther = language !== "" && language !== existing.language;
  if (isOther || speaksOther) {
    throw mismatch(existing, { ...(isOther && { embeddingModel }), ...(speaksOther && { language }) });
  }
  const target = models.resolve(existing.embeddingModel);
  mustHaveDimension(existing, target);
  return { target, settings: existing };
}

/** @throws SluiceError COLLECTION_MISMATCH where somebody else made the collection meanwhile, with other settings. */
export function mustBeAsChosen(made: StoredCollection, { target, settings }: ChosenSettings): void {
  const { embeddingModel, language } = settings;
  if (made.embeddingModel !== embeddingModel || made.language !== language) {
    throw mismatch(made, { embeddingModel, language });
  }
  mustHaveDimension(made, target);
}

function mustHaveDimension(collection: StoredCollection, { dimension }: EmbeddingTarget): void {
  if (collection.dimension !== dimension) throw mismatch(collection, { dimension });
}

type Requested = Extract<Failure, { reason: "COLLECTION_MISMATCH" }>["requested"];

function mismatch({ name, embeddingModel, dimension, language }: StoredCollection, requested: Requested): SluiceError {
  return new SluiceError({
    reason: "COLLECTION_MISMATCH",
    ...{ collection: name, embeddingModel, dimension, language, requested },
  });
}
