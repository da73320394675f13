/** Content of a document as it came. */
export type DocumentContent =
  | { readonly kind: "text" | "markdown" | "html"; readonly text: string }
  | { readonly kind: "pdf"; readonly bytes: Uint8Array };

/** How text is cut into chunks. Tokens are estimated: about four characters of Latin text, or one of Chinese. */
export interface ChunkOptions {
  /** What a chunk has at most. Default 320. */
  readonly maxTokens: number;
  /** What a chunk repeats of the end of the one before, in whole sentences. Default 48. */
  readonly overlapTokens: number;
}

/** A piece of a document's text. */
export interface DocumentChunk {
  /** What lies between the offsets, to the byte; never empty, without white space at its ends. */
  readonly text: string;
  /** The headings above it, outermost first; each at most 200 characters, at most 6 of them. */
  readonly headingPath: readonly string[];
  /** In bytes of UTF-8 from the beginning of the document's text. */
  readonly startOffsetBytes: number;
  readonly endOffsetBytes: number;
}

/** A document as it was read. */
export interface ReadDocument {
  /** Empty where it has none; at most 512 bytes. */
  readonly title: string;
  /** What offsets point into: well-formed, without NUL, lines end in \n. */
  readonly text: string;
  /** Cover everything of the text that is not white space or markup alone, in its order. At least one. */
  readonly chunks: readonly DocumentChunk[];
}

/** Why a document cannot be read. */
export type UnreadableReason =
  /** No letter and no digit in it. */
  | "empty"
  /** It is not what it is said to be: a PDF that is broken or asks for a password. */
  | "broken"
  /** It grew beyond its bounds, or took too long, while it was read. */
  | "too_large";

/** A document that cannot be read. Nothing of its text is in the message. */
export class UnreadableDocumentError extends Error {
  readonly reason: UnreadableReason;

  constructor(reason: UnreadableReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "UnreadableDocumentError";
    this.reason = reason;
  }
}

/** Reads documents and cuts them into chunks, outside of the main thread: hostile ones cannot hold up calls. */
export interface DocumentReader {
  /** @throws UnreadableDocumentError; the signal's reason when it was aborted. */
  read(content: DocumentContent, signal: AbortSignal): Promise<ReadDocument>;
}
