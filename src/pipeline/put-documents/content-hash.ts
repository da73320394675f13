import { createHash } from "node:crypto";
import type { Metadata } from "../../core/corpus.ts";
import type { DocumentContent } from "../../core/documents.ts";

/** Goes up with every change of how documents are read, cut or embedded: then they are read anew. */
const READER_VERSION = 1;

/**
 * What decides whether a document is unchanged: SHA-256, in lower-case hex, of everything it is made from. Every part is
 * written with its length, so that no two documents are written alike.
 */
export function contentHash(content: DocumentContent, title: string, metadata: Metadata): string {
  const hash = createHash("sha256");
  const bytes = content.kind === "pdf" ? content.bytes : Buffer.from(content.text);
  for (const part of [String(READER_VERSION), content.kind, bytes, title, canonicalJson(metadata)]) {
    const written = typeof part === "string" ? Buffer.from(part) : part;
    hash.update(`${written.length}:`).update(written);
  }
  return hash.digest("hex");
}

/** The order of keys says nothing; that of items does. */
function canonicalJson(metadata: Metadata): string {
  const entries = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries);
}
