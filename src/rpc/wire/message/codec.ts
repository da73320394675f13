import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJsonString,
  type Message,
  type MessageInitShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ReceivedMessage } from "../../call/decode-failure.ts";
import type { ServerLimits } from "../../server/limits.ts";
import { binaryOptions, jsonOptionsOf } from "../../server/serialization.ts";
import { type Compression, compress, decompress } from "./compression.ts";
import { COMPRESSED, type Frame, tooLarge } from "./framing.ts";

/** How messages are written down. */
export type Notation = "proto" | "json";

const utf8 = new TextEncoder();

/** Turns the frames of one call into messages, and messages into frames. Only compression takes time. */
export class Codec implements ReceivedMessage {
  readonly #method: DescMethod;
  readonly #notation: Notation;
  readonly #compression: Compression;
  readonly #limits: ServerLimits;
  #unread: Uint8Array | undefined;

  constructor(method: DescMethod, notation: Notation, compression: Compression, limits: ServerLimits) {
    this.#method = method;
    this.#notation = notation;
    this.#compression = compression;
    this.#limits = limits;
  }

  /** Most bytes of a request's message. */
  get maxBytes(): number {
    return this.#limits.messageBytes;
  }

  /** The message in JSON that could not be read, so that the field can be named. */
  bytes(): Uint8Array | undefined {
    return this.#unread;
  }

  forget(): void {
    this.#unread = undefined;
  }

  /** @throws ConnectError, or rejects with one, where the message cannot be read or is too large when decompressed. */
  decode({ flags, bytes }: Frame): Message | Promise<Message> {
    if (flags !== COMPRESSED) return this.#parse(bytes, bytes);
    if (!this.#compression.reads) {
      throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
    }
    return decompress(bytes, this.#limits.messageBytes).then((plain) => this.#parse(plain));
  }

  /** @throws ConnectError where the answer does not fit its schema or is too large. */
  encode(answer: MessageInitShape<DescMessage>): Frame | Promise<Frame> {
    const bytes = this.#serialize(answer);
    const { responseBytes } = this.#limits;
    if (bytes.byteLength > responseBytes) throw tooLarge("writeMaxBytes", bytes.byteLength, responseBytes);
    return this.pack({ flags: 0, bytes });
  }

  /** A frame that is written, compressed where that is wanted and worth it. */
  pack({ flags, bytes }: Frame): Frame | Promise<Frame> {
    if (!this.#compression.writes || bytes.byteLength < this.#limits.compressMinBytes) return { flags, bytes };
    return compress(bytes).then((compressed) => ({ flags: flags | COMPRESSED, bytes: compressed }));
  }

  /** @param received what came, where it can be shown to be at fault; what was compressed is told as a whole. */
  #parse(bytes: Uint8Array, received?: Uint8Array): Message {
    const { input } = this.#method;
    if (this.#notation === "json") return this.#parseJson(bytes, received);
    try {
      return fromBinary(input, bytes, binaryOptions);
    } catch (error) {
      throw new ConnectError(`parse binary: ${messageOf(error)}`, Code.Internal);
    }
  }

  #parseJson(bytes: Uint8Array, received: Uint8Array | undefined): Message {
    const { input } = this.#method;
    const options = jsonOptionsOf(input);
    try {
      return fromJsonString(input, options.textDecoder.decode(bytes), options);
    } catch (error) {
      this.#unread = received;
      throw new ConnectError(`parse JSON: ${messageOf(error)}`, Code.InvalidArgument, undefined, undefined, error);
    }
  }

  #serialize(answer: MessageInitShape<DescMessage>): Uint8Array {
    const { output } = this.#method;
    try {
      const message = create(output, answer);
      return this.#notation === "json" ? utf8.encode(toJsonString(output, message)) : toBinary(output, message);
    } catch (error) {
      throw new ConnectError(`serialize ${this.#notation}: ${messageOf(error)}`, Code.Internal);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
