import type { OutgoingHttpHeaders } from "node:http";
import type { ConnectError } from "@connectrpc/connect";
import type { Notation } from "./message/codec.ts";
import type { EncodingHeaders } from "./message/compression.ts";
import type { Frame } from "./message/framing.ts";

/** What ends an answer: trailers of HTTP/2, or a message of another kind. */
export type Ending = { readonly trailers: OutgoingHttpHeaders } | { readonly message: Frame };

/** In what a protocol differs from the others. The rest of a call is the same for all. */
export interface Protocol {
  readonly name: "grpc" | "grpc-web" | "connect";
  /** In what notation a request with this content type is; undefined where it is not of this protocol or not served. */
  notationOf(contentType: string): Notation | undefined;
  /** Content types of answers. */
  readonly contentTypes: Readonly<Record<Notation, string>>;
  readonly encodingHeaders: EncodingHeaders;
  readonly endsWithTrailers: boolean;
  /** The trailers of an answer before its handler sets any. */
  readonly firstTrailers: Readonly<Record<string, string>>;
  /** @param set the trailers, where the handler asked for them. */
  endingOf(error: ConnectError | undefined, set: Headers | undefined): Ending;
}

/** By a pattern for content types whose first group, where it has one, is there for JSON. */
export function notationIn(pattern: RegExp): (contentType: string) => Notation | undefined {
  return (contentType) => {
    const match = pattern.exec(contentType);
    if (!match) return undefined;
    return match[1] === undefined ? "proto" : "json";
  };
}
