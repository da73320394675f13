import type { ChunkOptions, DocumentContent, UnreadableReason } from "../../core/documents.ts";
import type { PackedDocument } from "./packed-document.ts";

/** What the thread is started with. */
export interface WorkerStart {
  readonly chunking: ChunkOptions;
}

/** One document at a time. */
export type ToWorker = DocumentContent;

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "read"; readonly document: PackedDocument }
  | { readonly kind: "unreadable"; readonly reason: UnreadableReason; readonly message: string };
