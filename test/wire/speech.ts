import { type DescMessage, type MessageShape, toBinary, toJsonString } from "@bufbuild/protobuf";

/** What a browser speaks, and over which version of HTTP. */
export interface Speech {
  readonly protocol: "connect" | "grpc-web";
  readonly notation: "proto" | "json";
  readonly http: "HTTP/1.1" | "HTTP/2";
}

/** Not every combination: each protocol, notation and version with each other at least once. */
export const speeches: readonly Speech[] = [
  { protocol: "connect", notation: "proto", http: "HTTP/1.1" },
  { protocol: "connect", notation: "json", http: "HTTP/1.1" },
  { protocol: "connect", notation: "json", http: "HTTP/2" },
  { protocol: "grpc-web", notation: "proto", http: "HTTP/1.1" },
  { protocol: "grpc-web", notation: "proto", http: "HTTP/2" },
  { protocol: "grpc-web", notation: "json", http: "HTTP/1.1" },
];

/** `connect+json over HTTP/1.1`. */
export function nameOf({ protocol, notation, http }: Speech): string {
  return `${protocol}+${notation} over ${http}`;
}

export function contentTypeOf({ protocol, notation }: Speech): string {
  return `application/${protocol}+${notation}`;
}

export function encoded<D extends DescMessage>(speech: Speech, schema: D, message: MessageShape<D>): Uint8Array {
  return speech.notation === "json" ? Buffer.from(toJsonString(schema, message)) : toBinary(schema, message);
}

/** Headers by what they say, since each protocol has its own. */
export function timeoutHeader({ protocol }: Speech, timeoutMs: number | string): Record<string, string> {
  if (protocol === "connect") return { "connect-timeout-ms": String(timeoutMs) };
  return { "grpc-timeout": typeof timeoutMs === "number" ? `${timeoutMs}m` : timeoutMs };
}

export function encodingHeader({ protocol }: Speech, encoding: string): Record<string, string> {
  return { [protocol === "connect" ? "connect-content-encoding" : "grpc-encoding"]: encoding };
}

export function acceptsHeader({ protocol }: Speech, encodings: string): Record<string, string> {
  return { [protocol === "connect" ? "connect-accept-encoding" : "grpc-accept-encoding"]: encodings };
}
