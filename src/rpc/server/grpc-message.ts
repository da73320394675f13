import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

const HEADER = "grpc-message";

/**
 * The response with its gRPC message spelled as the protocol says: percent signs and what is not printable ASCII are
 * percent-encoded, and nothing else (PROTOCOL-HTTP2.md, "Percent-Encoded"). connect-node encodes commas, semicolons and
 * more, which some clients, grpc-js among them, then show undecoded.
 */
export function withReadableMessage(response: UniversalServerResponse): UniversalServerResponse {
  const { trailer, body } = response;
  if (!trailer) return response;
  if (!body) {
    respell(trailer);
    return response;
  }
  return { ...response, body: respellAfter(body, trailer) };
}

/** The trailer is written when the body is done. */
async function* respellAfter<Chunk>(body: AsyncIterable<Chunk>, trailer: Headers): AsyncGenerator<Chunk> {
  try {
    yield* body;
  } finally {
    respell(trailer);
  }
}

/** Exported for the trailers that are not written by connect-node. */
export function respell(trailer: Headers): void {
  const encoded = trailer.get(HEADER);
  if (encoded !== null) trailer.set(HEADER, encodeGrpcMessage(decodeURIComponent(encoded)));
}

/** Exported for its test. */
export function encodeGrpcMessage(message: string): string {
  return message.replace(/[^\x20-\x24\x26-\x7e]+/gu, encodeURIComponent);
}
