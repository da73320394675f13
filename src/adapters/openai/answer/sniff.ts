/** Bytes before the first telling one: a byte order mark and white space. More is no answer. */
const MAX_LEADING_BYTES = 1_024;

const JSON_START = new Set(["{", "["]);
/** First letters of the fields of an event stream (`data`, `event`, `id`, `retry`) and of its comments. */
const SSE_START = new Set(["d", "e", "i", "r", ":"]);

/**
 * Whether a body is one JSON document or an event stream, by its first telling byte, then by its content type: servers
 * answer a streaming request with plain JSON and the reverse, under either type. `undefined`: more bytes are needed.
 */
export function sniffFormat(start: Uint8Array, contentType: string): "json" | "sse" | undefined {
  const first = firstTelling(start);
  if (first === undefined && start.length < MAX_LEADING_BYTES) return undefined;
  if (first !== undefined && JSON_START.has(first)) return "json";
  if (first !== undefined && SSE_START.has(first)) return "sse";
  return contentType.toLowerCase().includes("text/event-stream") ? "sse" : "json";
}

function firstTelling(start: Uint8Array): string | undefined {
  const text = Buffer.from(start.buffer, start.byteOffset, start.byteLength).toString("latin1", 0, MAX_LEADING_BYTES);
  // The byte order mark, and what there is of one that is cut.
  const body = text.replace(/^(?:\u00ef\u00bb\u00bf|\u00ef\u00bb?$)/, "").trimStart();
  return body === "" ? undefined : body[0];
}
