import type { DocumentChunk, ReadDocument } from "../../core/documents.ts";
import type { CutDocument } from "./read-document.ts";

/** A document as it goes from thread to thread: thousands of small objects would hold up the main thread. */
export interface PackedDocument {
  readonly title: string;
  readonly text: string;
  /** Per chunk its start and end in code units, then in bytes, and the place of its path in `headingPaths`. */
  readonly spans: Uint32Array<ArrayBuffer>;
  readonly headingPaths: readonly (readonly string[])[];
}

const FIELDS = 5;

export function packDocument({ title, text, chunks }: CutDocument): PackedDocument {
  const spans = new Uint32Array(chunks.length * FIELDS);
  const headingPaths: (readonly string[])[] = [];
  // Starts rise, and so do ends, so that each is counted on from the one before.
  const startBytes = byteCounter(text);
  const endBytes = byteCounter(text);
  chunks.forEach(({ start, end, headingPath }, index) => {
    if (headingPaths.at(-1) !== headingPath) headingPaths.push(headingPath);
    spans.set([start, end, startBytes(start), endBytes(end), headingPaths.length - 1], index * FIELDS);
  });
  return { title, text, spans, headingPaths };
}

export function unpackDocument({ title, text, spans, headingPaths }: PackedDocument): ReadDocument {
  const chunks: DocumentChunk[] = [];
  for (let at = 0; at < spans.length; at += FIELDS) {
    const [start = 0, end = 0, startOffsetBytes = 0, endOffsetBytes = 0, path = 0] = spans.subarray(at, at + FIELDS);
    chunks.push({
      text: text.slice(start, end),
      headingPath: headingPaths[path] ?? [],
      startOffsetBytes,
      endOffsetBytes,
    });
  }
  return { title, text, chunks };
}

/** Bytes of UTF-8 before an offset in code units; to be asked in rising order. */
function byteCounter(text: string): (offset: number) => number {
  let counted = 0;
  let bytes = 0;
  return (offset) => {
    bytes += Buffer.byteLength(text.slice(counted, offset));
    counted = offset;
    return bytes;
  };
}
