import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { type RetrievalInputSchema, RetrievalMode } from "../../gen/sluice/v1/retrieval_pb.ts";
import { UserError } from "./terminal.ts";
import { filterOf, whereOption } from "./where.ts";

/** How chunks are found. */
export interface RetrievalOptions {
  readonly topK?: string;
  readonly minSimilarity?: string;
  readonly hybrid?: boolean;
  readonly where: readonly string[];
}

const MAX_TOP_K = 100;

/** Adds the options; what is not given is left to the prompt, then to the server. */
export function addRetrievalOptions(command: Command): Command {
  return command
    .option("--top-k <number>", `most chunks, 1 to ${MAX_TOP_K}`)
    .option("--min-similarity <number>", "least cosine similarity, -1 to 1")
    .option("--hybrid", "by meaning and by words")
    .addOption(whereOption());
}

/**
 * What to look for, as the contract has it.
 * @throws UserError for numbers and conditions that are none.
 */
export function retrievalOf(
  collection: string,
  query: string,
  { topK, minSimilarity, hybrid = false, where }: RetrievalOptions,
): Exclude<MessageInitShape<typeof RetrievalInputSchema>, { $typeName: string }> {
  const filter = filterOf(where);
  return {
    collection,
    query,
    ...(topK !== undefined && { topK: wholeNumber(topK) }),
    ...(minSimilarity !== undefined && { minSimilarity: similarity(minSimilarity) }),
    ...(hybrid && { mode: RetrievalMode.HYBRID }),
    ...(filter && { filter }),
  };
}

/** Whether any of them is given. */
export function hasRetrievalOptions({ topK, minSimilarity, hybrid, where }: RetrievalOptions): boolean {
  return topK !== undefined || minSimilarity !== undefined || hybrid === true || where.length > 0;
}

function wholeNumber(text: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MAX_TOP_K) return number;
  throw new UserError(`--top-k: must be a whole number from 1 to ${MAX_TOP_K}`);
}

function similarity(text: string): number {
  const number = /^-?\d(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (number >= -1 && number <= 1) return number;
  throw new UserError("--min-similarity: must be a number from -1 to 1, such as 0.4");
}
