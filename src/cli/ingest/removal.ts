import { type CorpusClient, RemoteError } from "../../rpc/client.ts";
import { pathOf } from "./document-id.ts";
import type { Walked } from "./walk.ts";

/** More than this, and more than half of what the folder is answerable for, is a mass removal. */
const FEW = 10;
const MAX_IDS_A_REQUEST = 1_000;

/** What is to be removed. */
export interface Removal {
  readonly ids: readonly string[];
  /** Documents of the collection that the folder is answerable for, those to be removed included. */
  readonly answerableFor: number;
  readonly isMassive: boolean;
}

export const nothingToRemove: Removal = { ids: [], answerableFor: 0, isMassive: false };

/**
 * Documents whose files are gone. Ids that this folder cannot have produced, with these patterns, are another's; where a
 * file is there but was not taken, its document stays. An empty folder removes nothing: it may be one that is not mounted.
 * @throws ConnectionError, RemoteError.
 */
export async function findVanished(
  client: Pick<CorpusClient, "listDocuments">,
  collection: string,
  { files, isPartial, wouldTake, isThere }: Walked,
): Promise<Removal> {
  if (files.length === 0 || isPartial) return nothingToRemove;
  const present = new Set(files.map(({ id }) => id));
  const ids: string[] = [];
  let answerableFor = 0;
  try {
    for await (const { id } of client.listDocuments(collection, "")) {
      const path = pathOf(id);
      if (path === undefined || !wouldTake(path)) continue;
      answerableFor += 1;
      if (!present.has(id) && !isThere(path)) ids.push(id);
    }
  } catch (error) {
    // A dry run of a new collection makes none.
    if (error instanceof RemoteError && error.failure.reason === "UNKNOWN_COLLECTION") return nothingToRemove;
    throw error;
  }
  return { ids, answerableFor, isMassive: ids.length > FEW && ids.length * 2 > answerableFor };
}

/** @returns how many were there. */
export async function removeDocuments(
  client: Pick<CorpusClient, "deleteDocuments">,
  collection: string,
  ids: readonly string[],
): Promise<number> {
  let removed = 0;
  for (let begin = 0; begin < ids.length; begin += MAX_IDS_A_REQUEST) {
    const batch = ids.slice(begin, begin + MAX_IDS_A_REQUEST);
    removed += (await client.deleteDocuments(collection, batch)).deletedIds.length;
  }
  return removed;
}
