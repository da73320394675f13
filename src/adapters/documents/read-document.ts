import { type ChunkOptions, type DocumentContent, UnreadableDocumentError } from "../../core/documents.ts";
import { cleanText, hasWords, singleLine } from "./clean-text.ts";
import { type ChunkSpan, cutIntoChunks } from "./cut/cut.ts";
import { outlineOfHtml } from "./html/read-html.ts";
import { MAX_CHUNKS, MAX_TEXT_BYTES, MAX_TITLE_BYTES, textTooLarge } from "./limits.ts";
import { outlineOfMarkdown } from "./markdown/outline.ts";
import type { Outline } from "./outline.ts";
import { outlineOfPdf } from "./pdf/read-pdf.ts";
import { outlineOfPlainText } from "./plain-text.ts";

/** A document with chunks that have no text of their own yet. */
export interface CutDocument {
  readonly title: string;
  readonly text: string;
  readonly chunks: readonly ChunkSpan[];
}

/** Reads and cuts a document in this thread. @throws UnreadableDocumentError */
export async function readDocument(content: DocumentContent, options: ChunkOptions): Promise<CutDocument> {
  const outline = await outlineOf(content);
  if (!hasWords(outline.text)) throw empty();
  if (Buffer.byteLength(outline.text) > MAX_TEXT_BYTES) throw textTooLarge();
  const chunks = cutIntoChunks(outline, options);
  // Front matter or a comment, and nothing else.
  if (chunks.length === 0) throw empty();
  if (chunks.length > MAX_CHUNKS)
    throw new UnreadableDocumentError("too_large", `the document has more than ${MAX_CHUNKS} chunks`);
  return { title: singleLine(outline.title, MAX_TITLE_BYTES), text: outline.text, chunks };
}

async function outlineOf(content: DocumentContent): Promise<Outline> {
  if (content.kind === "pdf") return outlineOfPdf(content.bytes);
  const text = cleanText(content.text);
  if (content.kind === "html") return outlineOfHtml(text);
  if (text.length > MAX_TEXT_BYTES) throw textTooLarge();
  return content.kind === "text" ? outlineOfPlainText(text) : outlineOfMarkdown(text);
}

function empty(): UnreadableDocumentError {
  return new UnreadableDocumentError("empty", "the document has no letter and no digit");
}
