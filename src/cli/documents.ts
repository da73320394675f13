import { create } from "@bufbuild/protobuf";
import type { Document } from "../../gen/sluice/v1/corpus_pb.ts";
import {
  type DeleteDocumentsResponse,
  DeleteDocumentsResponseSchema,
  GetDocumentResponseSchema,
  type ListDocumentsResponse,
  ListDocumentsResponseSchema,
} from "../../gen/sluice/v1/corpus_service_pb.ts";
import type { CorpusClient } from "../rpc/client.ts";
import { changed } from "./collections.ts";
import type { ServerOptions } from "./server-options.ts";
import { showAnswer } from "./show-answer.ts";
import { tableText } from "./table.ts";
import { printableProse, type Terminal, UserError } from "./terminal.ts";
import { grouped } from "./usage-money.ts";

export interface DocumentsOptions extends ServerOptions {
  readonly prefix?: string;
  readonly json?: boolean;
}

export interface ShowDocumentOptions extends ServerOptions {
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

const FIGURES = ["bytes", "chunks"];

/** `sluice documents`: the documents of a collection, by id. */
export async function listDocuments(
  collection: string,
  options: DocumentsOptions,
  client: Pick<CorpusClient, "listDocuments">,
  terminal: Terminal,
): Promise<number> {
  const ask = async () => {
    const documents: Document[] = [];
    for await (const document of client.listDocuments(collection, options.prefix ?? "")) documents.push(document);
    return create(ListDocumentsResponseSchema, { documents });
  };
  return await showAnswer(ListDocumentsResponseSchema, ask, documentsText, options, terminal);
}

/** `sluice documents show`: the text, or what lies between two offsets, which count bytes of UTF-8. */
export async function showDocument(
  collection: string,
  id: string,
  options: ShowDocumentOptions,
  client: Pick<CorpusClient, "getDocument">,
  terminal: Terminal,
): Promise<number> {
  const [from, to] = [offset("--from", options.from), offset("--to", options.to)];
  if (options.json && (from ?? to) !== undefined) throw new UserError("--json: leave --from and --to out");
  const ask = async () => {
    const document = await client.getDocument(collection, id);
    return create(GetDocumentResponseSchema, document ? { document } : {});
  };
  const textOf = ({ document }: { readonly document?: Document | undefined }) => {
    const text = cut(document?.text ?? "", from, to);
    const shown = terminal.stdout.isTTY === true ? printableProse(text) : text;
    return shown.endsWith("\n") ? shown : `${shown}\n`;
  };
  return await showAnswer(GetDocumentResponseSchema, ask, textOf, options, terminal);
}

/** `sluice documents delete`. */
export async function deleteDocuments(
  collection: string,
  ids: readonly string[],
  options: DocumentsOptions,
  client: Pick<CorpusClient, "deleteDocuments">,
  terminal: Terminal,
): Promise<number> {
  const ask = () => client.deleteDocuments(collection, ids);
  return await showAnswer(DeleteDocumentsResponseSchema, ask, (answer) => deletedText(answer, ids), options, terminal);
}

function documentsText({ documents }: ListDocumentsResponse): string {
  const rows = documents.map(({ id, title, textBytes, chunkCount, updateTime }) => [
    ...[id, grouped(textBytes), grouped(BigInt(chunkCount)), changed(updateTime), title],
  ]);
  return tableText([["document", ...FIGURES, "changed (UTC)", "title"], ...rows], FIGURES);
}

function deletedText({ deletedIds }: DeleteDocumentsResponse, asked: readonly string[]): string {
  const absent = new Set(asked).size - deletedIds.length;
  const rest = absent === 0 ? "" : `; ${absent} ${absent === 1 ? "was" : "were"} not there`;
  return `deleted ${deletedIds.length} document${deletedIds.length === 1 ? "" : "s"}${rest}\n`;
}

function offset(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UserError(`${option}: must be a number of bytes, such as 1024`);
  return Number(text);
}

function cut(text: string, from: number | undefined, to: number | undefined): string {
  if (from === undefined && to === undefined) return text;
  const bytes = Buffer.from(text);
  const end = to ?? bytes.length;
  if (end > bytes.length) throw new UserError(`--to: the text has ${bytes.length} bytes`);
  if ((from ?? 0) > end) throw new UserError("--from: must not be after --to");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(from ?? 0, end));
  } catch {
    throw new UserError("--from, --to: an offset is in the middle of a character");
  }
}
