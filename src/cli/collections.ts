import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Collection } from "../../gen/sluice/v1/corpus_pb.ts";
import {
  type DeleteCollectionResponse,
  DeleteCollectionResponseSchema,
  type ListCollectionsResponse,
  ListCollectionsResponseSchema,
} from "../../gen/sluice/v1/corpus_service_pb.ts";
import type { CorpusClient } from "../rpc/client.ts";
import type { ServerOptions } from "./server-options.ts";
import { showAnswer } from "./show-answer.ts";
import { tableText } from "./table.ts";
import { type Terminal, UserError } from "./terminal.ts";
import { timeText } from "./time-text.ts";
import { grouped } from "./usage-money.ts";

export interface CollectionsOptions extends ServerOptions {
  readonly json?: boolean;
}

const FIGURES = ["dimension", "documents", "chunks"];

/** `sluice collections`: the collections of the key's tenant. */
export async function listCollections(
  options: CollectionsOptions,
  client: Pick<CorpusClient, "listCollections">,
  terminal: Terminal,
): Promise<number> {
  const ask = async () => create(ListCollectionsResponseSchema, { collections: [...(await client.listCollections())] });
  return await showAnswer(ListCollectionsResponseSchema, ask, collectionsText, options, terminal);
}

/** `sluice collections delete`. @throws UserError without `--yes`. */
export async function deleteCollection(
  name: string,
  options: CollectionsOptions & { readonly yes?: boolean },
  client: Pick<CorpusClient, "deleteCollection">,
  terminal: Terminal,
): Promise<number> {
  if (!options.yes) throw new UserError("--yes: is needed, since all documents of the collection go with it");
  const ask = () => client.deleteCollection(name);
  return await showAnswer(DeleteCollectionResponseSchema, ask, deletedText, options, terminal);
}

function deletedText({ documentCount, chunkCount }: DeleteCollectionResponse): string {
  return `deleted ${grouped(documentCount)} documents with ${grouped(chunkCount)} chunks\n`;
}

function collectionsText({ collections }: ListCollectionsResponse): string {
  if (collections.length === 0) return "there are no collections; `sluice ingest` makes one\n";
  const head = ["collection", "embedding model", ...FIGURES, "language", "changed (UTC)", ""];
  return tableText([head, ...collections.map(rowOf)], FIGURES);
}

function rowOf(collection: Collection): string[] {
  const { name, embeddingModel, dimension, documentCount, chunkCount, language, updateTime } = collection;
  const figures = [BigInt(dimension), documentCount, chunkCount].map(grouped);
  return [name, embeddingModel, ...figures, language, changed(updateTime), notesOf(collection).join("; ")];
}

export function changed(time: Timestamp | undefined): string {
  return time === undefined ? "-" : timeText(timestampDate(time));
}

function notesOf({ isIndexed, reembeddingModel }: Collection): string[] {
  return [
    ...(isIndexed ? ["indexed"] : []),
    ...(reembeddingModel === "" ? [] : [`being embedded with ${reembeddingModel}`]),
  ];
}
