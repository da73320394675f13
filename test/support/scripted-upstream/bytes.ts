import type { ScriptedEvent, ScriptedResponse } from "./steps.ts";

/** Bytes for one write, and the pause after it. */
export interface Write {
  readonly bytes: Buffer;
  readonly pauseMs: number;
}

/** The writes of a stream's body, before any transfer coding. */
export function streamWrites(step: ScriptedResponse): readonly Write[] {
  const writes = (step.sse ?? []).flatMap((event) => {
    const write = { bytes: eventBytes(event, step.eol ?? "\n"), pauseMs: event.every_ms ?? 0 };
    return Array.from({ length: event.repeat ?? 1 }, () => write);
  });
  if (step.split === undefined) return writes;
  const all = Buffer.concat(writes.map((write) => write.bytes));
  return step.split === "all"
    ? [{ bytes: all, pauseMs: 0 }]
    : cut(all, step.split).map((bytes) => ({ bytes, pauseMs: 0 }));
}

/** The body of a step that is sent with a length. */
export function bodyBytes(step: ScriptedResponse, fill: (text: string) => string): Buffer {
  if (step.body_base64 !== undefined) return Buffer.from(step.body_base64, "base64");
  if (step.body_text !== undefined) return Buffer.from(step.body_text);
  return Buffer.from(step.body === undefined ? "" : fill(JSON.stringify(step.body)));
}

/** Pieces of at most `size` bytes. */
export function cut(bytes: Buffer, size: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** One piece in HTTP's chunked coding. */
export function chunked(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

function eventBytes(event: ScriptedEvent, eol: string): Buffer {
  if ("raw" in event) return Buffer.from(event.raw);
  if ("raw_base64" in event) return Buffer.from(event.raw_base64, "base64");
  if ("comment" in event) return Buffer.from(`: ${event.comment}${eol}${eol}`);
  const data = typeof event.data === "string" ? event.data : JSON.stringify(event.data);
  const lines = [
    ...(event.event === undefined ? [] : [`event: ${event.event}`]),
    ...(event.id === undefined ? [] : [`id: ${event.id}`]),
    `${event.nospace ? "data:" : "data: "}${data}`,
  ];
  return Buffer.from(lines.map((line) => line + eol).join("") + eol);
}
