import { UnreadableDocumentError } from "../../core/documents.ts";

/** What a document's text may have, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 8 * 1024 * 1024;
/** What may come in, in bytes or UTF-16 code units: HTML and PDF are larger than their text. */
export const MAX_INPUT_SIZE = 64 * 1024 * 1024;
export const MAX_CHUNKS = 20_000;
export const MAX_TITLE_BYTES = 512;
export const MAX_PDF_PAGES = 10_000;

export function textTooLarge(): UnreadableDocumentError {
  return new UnreadableDocumentError("too_large", `the text of the document has more than ${MAX_TEXT_BYTES} bytes`);
}
