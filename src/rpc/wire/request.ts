import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { invalidRequest, type SluiceError } from "../../core/failure.ts";
import type { Channel } from "./channel/channel.ts";
import type { Codec } from "./message/codec.ts";
import { FrameReader } from "./message/framing.ts";

/** Told to a handler that reads a request whose caller is gone. */
export function callerLeft(): ConnectError {
  return new ConnectError("the caller left", Code.Canceled);
}

/** The body of a request that has exactly one message. Decoded as soon as it is there, and complete with the body's end. */
export class SingleMessage {
  readonly #channel: Channel;
  readonly #codec: Codec;
  readonly #kind: string;
  /** Until the end. What it holds of the connection's buffers is not kept for as long as the answer takes. */
  #frames: FrameReader | undefined;
  readonly #promise = Promise.withResolvers<Message>();
  #message: Message | Promise<Message> | undefined;
  #isOver = false;

  constructor(channel: Channel, codec: Codec, kind: string) {
    this.#channel = channel;
    this.#codec = codec;
    this.#kind = kind;
    this.#frames = new FrameReader(codec.maxBytes);
    channel.body.on("data", (chunk: Buffer) => this.#read(chunk));
    channel.body.on("end", () => this.#end());
  }

  /** Rejects with a ConnectError for what cannot be read, and with what `stop` is given. */
  get message(): Promise<Message> {
    return this.#promise.promise;
  }

  /** Reads no further. Does nothing once the whole body was read. */
  stop(reason: unknown): void {
    if (this.#isOver) return;
    this.#release();
    this.#channel.body.pause();
    this.#promise.reject(reason);
  }

  /** The call is over. */
  abandon(): void {
    if (!this.#isOver) this.stop(callerLeft());
  }

  #release(): void {
    this.#isOver = true;
    this.#frames = undefined;
    this.#message = undefined;
  }

  #read(chunk: Buffer): void {
    const frames = this.#frames;
    if (!frames) return;
    try {
      frames.push(chunk);
      for (let next = frames.next(); next; next = frames.next()) {
        if (this.#message !== undefined) throw wrongCount("received extra", this.#kind);
        this.#message = this.#codec.decode(next);
        if (this.#message instanceof Promise) this.#message.catch((error: unknown) => this.stop(error));
      }
    } catch (error) {
      this.stop(error);
    }
  }

  #end(): void {
    // A stream that its caller resets has an end too.
    if (!this.#frames || this.#channel.isCutOff) return;
    const message = this.#message;
    if (!this.#frames.isEmpty) this.stop(cutOff());
    else if (message === undefined) this.stop(wrongCount("missing", this.#kind));
    else {
      this.#release();
      this.#promise.resolve(message);
    }
  }
}

/**
 * The messages of a stream of requests. No more is read of the connection than its handler asks for, but for one buffer.
 */
export class RequestMessages implements AsyncIterable<Message> {
  readonly #channel: Channel;
  readonly #codec: Codec;
  readonly #onEnd: () => void;
  #stopped: { readonly reason: unknown } | undefined;
  #giveUp: (reason: unknown) => void = () => {};

  /** @param onEnd called when the last was read. */
  constructor(channel: Channel, codec: Codec, onEnd: () => void) {
    this.#channel = channel;
    this.#codec = codec;
    this.#onEnd = onEnd;
  }

  /** Who reads, now or later, gets this error: that the call is over must not look like the end of the request. */
  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    this.#giveUp(reason);
  }

  /** The call is over. */
  abandon(): void {
    if (!this.#stopped) this.stop(callerLeft());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    const frames = new FrameReader(this.#codec.maxBytes);
    const chunks = this.#channel.body.iterator({ destroyOnReturn: false });
    for (let step = await this.#next(chunks); !step.done; step = await this.#next(chunks)) {
      frames.push(step.value);
      for (let next = frames.next(); next; next = frames.next()) yield await this.#codec.decode(next);
    }
    if (!frames.isEmpty) throw cutOff();
    this.#onEnd();
  }

  async #next(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
    const step = await new Promise<IteratorResult<Buffer>>((resolve, reject) => {
      this.#giveUp = reject;
      chunks.next().then(resolve, reject);
    });
    // A stream that its caller resets has an end too.
    if (this.#stopped || this.#channel.isCutOff) throw this.#stopped?.reason ?? callerLeft();
    return step;
  }
}

/** Told where a whole body takes longer than its limit. */
export function tooSlow(limitMs: number): SluiceError {
  return invalidRequest("", "request_timeout", `the body must arrive within ${limitMs} ms`);
}

function cutOff(): ConnectError {
  return new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
}

function wrongCount(what: "missing" | "received extra", kind: string): ConnectError {
  const method = kind.replace("_", "-");
  return new ConnectError(`protocol error: ${what} input message for ${method} method`, Code.Unimplemented);
}
