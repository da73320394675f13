/** A request that was cut out of a connection's bytes. */
export interface ParsedRequest {
  readonly head: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The bytes after it. */
  readonly rest: Buffer;
}

/** The first complete request in `bytes`; `undefined` while it is incomplete. Knows lengths and chunks. */
export function takeRequest(bytes: Buffer): ParsedRequest | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const headers = Object.fromEntries(head.split("\r\n").slice(1).map(headerOf));
  const body = /chunked/i.test(headers["transfer-encoding"] ?? "")
    ? takeChunks(bytes, headEnd + 4)
    : takeLength(bytes, headEnd + 4, Number(headers["content-length"] ?? 0));
  return body && { head, headers, body: body.bytes.toString("utf8"), rest: bytes.subarray(body.end) };
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

interface Body {
  readonly bytes: Buffer;
  readonly end: number;
}

function takeLength(bytes: Buffer, start: number, length: number): Body | undefined {
  const end = start + length;
  return bytes.length < end ? undefined : { bytes: bytes.subarray(start, end), end };
}

function takeChunks(bytes: Buffer, start: number): Body | undefined {
  const pieces: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { bytes: Buffer.concat(pieces), end };
    pieces.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
