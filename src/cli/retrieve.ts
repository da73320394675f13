import { type RetrieveResponse, RetrieveResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { RetrievedChunk } from "../../gen/sluice/v1/retrieval_pb.ts";
import type { CorpusClient } from "../rpc/client.ts";
import { readValue } from "./read-value.ts";
import { type RetrievalOptions, retrievalOf } from "./retrieval-options.ts";
import type { ServerOptions } from "./server-options.ts";
import { showAnswer } from "./show-answer.ts";
import { printable, printableProse, type Terminal } from "./terminal.ts";

export interface RetrieveOptions extends ServerOptions, RetrievalOptions {
  readonly json?: boolean;
}

const EXCERPT_CHARACTERS = 240;

/** `sluice retrieve`: the chunks of a collection that fit best, best first. */
export async function retrieve(
  collection: string,
  query: string,
  options: RetrieveOptions,
  client: Pick<CorpusClient, "retrieve">,
  terminal: Terminal,
): Promise<number> {
  const retrieval = retrievalOf(collection, await readValue("the query", query, terminal), options);
  return await showAnswer(RetrieveResponseSchema, () => client.retrieve({ retrieval }), chunksText, options, terminal);
}

function chunksText({ chunks }: RetrieveResponse): string {
  if (chunks.length === 0) return "nothing was found\n";
  return chunks.map(chunkText).join("\n");
}

function chunkText(chunk: RetrievedChunk): string {
  const { id, similarity, startOffsetBytes, endOffsetBytes, title, headingPath, text } = chunk;
  const path = [...new Set([title, ...headingPath])].filter((part) => part !== "").join(" > ");
  const head = `${similarity.toFixed(3)}  ${id}  bytes ${startOffsetBytes} to ${endOffsetBytes}`;
  const lines = [head, ...(path === "" ? [] : [`       ${path}`])];
  return `${printable(lines.join("\n"))}\n       ${printableProse(excerptOf(text))}\n`;
}

function excerptOf(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= EXCERPT_CHARACTERS ? line : `${line.slice(0, EXCERPT_CHARACTERS).toWellFormed()}…`;
}
