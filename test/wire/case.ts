import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import { CompleteRequestSchema, PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Speech } from "./speech.ts";
import type { ServerKind } from "./wire-server.ts";

export const { complete, streamComplete } = PipelineService.method;

/** What the raw client does next. */
export type Step =
  /** These bytes, as the body of DATA frames. */
  | { readonly send: Uint8Array }
  /** Nothing goes on before the answer's headers, so many messages, its end, or a note of the handler. */
  | { readonly await: "headers" | "answer" | { readonly messages: number } | { readonly handler: RegExp } }
  | { readonly pauseMs: number }
  /** RST_STREAM; over HTTP/1.1, which has none, the connection is dropped. */
  | { readonly reset: number }
  | "half-close"
  | "stop reading"
  | "read on"
  /** The socket, without a word. */
  | "drop connection";

/** One call of the corpus: exactly these headers and steps. */
export interface WireCase {
  /** A sentence about the caller, without its subject: "sends …". */
  readonly name: string;
  /** Default: plain. */
  readonly server?: ServerKind;
  /** Default: Complete. */
  readonly method?: DescMethod;
  /** Default: gRPC with protobuf over HTTP/2. */
  readonly speech?: Speech;
  /** Over the headers of a proper call; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The request ends with its headers, and has no body. */
  readonly isBodiless?: boolean;
  /** Trailers of the request, which gRPC has not. */
  readonly trailers?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  /** Wait for the server to close the stream after its answer, though the caller has not finished its request. */
  readonly lingers?: boolean;
  /** How it ends on either wire, such as `0 with 1 message`, `3 INVALID_REQUEST`, `http 415`, `reset 8`, `cut off`. */
  readonly ends: string;
  /** What the handler noted. Absent: compared between the wires only. */
  readonly handler?: readonly string[];
}

/** The message of a call of Complete or StreamComplete; see `scripted-pipeline.ts` for what a script says. */
export function message(script: string): Uint8Array {
  return toBinary(CompleteRequestSchema, create(CompleteRequestSchema, { input: { model: script } }));
}

/** A length-prefixed message (PROTOCOL-HTTP2.md); flags and length may lie. */
export function framed(bytes: Uint8Array, { flags = 0, length = bytes.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

/** The usual call: one message, then half-close. */
export function asks(script: string): readonly Step[] {
  return sends(framed(message(script)));
}

/** These bytes at once, then half-close. */
export function sends(...bytes: readonly Uint8Array[]): readonly Step[] {
  return [{ send: Buffer.concat(bytes) }, "half-close"];
}
