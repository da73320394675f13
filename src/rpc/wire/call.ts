import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type MethodImplSpec } from "@connectrpc/connect";
import type { Log } from "../../core/log.ts";
import { AnswerMessages, soleAnswer } from "../call/answer-messages.ts";
import type { CallScope } from "../call/call-scope.ts";
import { CALL_ID_HEADER, type CallSetup } from "../call/call-setup.ts";
import type { ServerLimits } from "../server/limits.ts";
import { Answer } from "./answer.ts";
import type { Channel, ChannelEvents } from "./channel/channel.ts";
import { WireContext } from "./context.ts";
import { Codec, type Notation } from "./message/codec.ts";
import { negotiateCompression } from "./message/compression.ts";
import type { Frame } from "./message/framing.ts";
import { ReceivedHeaders } from "./metadata.ts";
import type { Protocol } from "./protocol.ts";
import { callerLeft, RequestMessages, SingleMessage, tooSlow } from "./request.ts";
import { startRequestedTimer } from "./timer.ts";

export interface WireCallPorts {
  readonly calls: CallSetup;
  readonly limits: ServerLimits;
  readonly log: Log;
}

/** What a request is, by its headers. */
export interface Recognized {
  readonly protocol: Protocol;
  readonly notation: Notation;
  readonly spec: MethodImplSpec;
}

/** One call over one exchange of HTTP, from its headers to its trailers. */
export class WireCall implements ChannelEvents {
  readonly #ports: WireCallPorts;
  readonly #spec: MethodImplSpec;
  readonly #protocol: Protocol;
  readonly #channel: Channel;
  readonly #headers: ReceivedHeaders;
  readonly #scope: CallScope;
  readonly #context: WireContext;
  readonly #codec: Codec;
  readonly #encodingError: ConnectError | undefined;
  readonly #answer: Answer;
  #request: SingleMessage | RequestMessages | undefined;
  #messages: AnswerMessages<MessageInitShape<DescMessage>> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(ports: WireCallPorts, { protocol, notation, spec }: Recognized, channel: Channel) {
    const { method } = spec;
    const { headers } = channel;
    const compression = negotiateCompression(headers, protocol.encodingHeaders);
    this.#ports = ports;
    this.#spec = spec;
    this.#protocol = protocol;
    this.#channel = channel;
    this.#headers = new ReceivedHeaders(headers);
    this.#scope = ports.calls.begin({ service: method.parent, method });
    this.#codec = new Codec(method, notation, compression, ports.limits);
    const responseHeaders = {
      "content-type": protocol.contentTypes[notation],
      ...(compression.writes && { [protocol.encodingHeaders.sent]: "gzip" }),
      [CALL_ID_HEADER]: this.#scope.id,
    };
    const scope = this.#scope;
    this.#context = new WireContext({ method, protocol, scope, channel, received: this.#codec, responseHeaders });
    this.#encodingError = compression.error;
    this.#answer = new Answer(channel, ports.limits.slowReaderMs, this);
  }

  /** Serves the call to its end. Never rejects. */
  async serve(): Promise<void> {
    this.#channel.listen(this);
    try {
      this.#admit();
      await this.#run();
    } catch (error) {
      this.#fail(error);
    }
  }

  onTaken(): void {
    this.#answer.stop();
  }

  onLeft(): void {
    this.#leave();
  }

  onClosed(): void {
    this.#answer.stop();
  }

  onError(error: unknown): void {
    this.#ports.log.debug("exchange_failed", { call_id: this.#scope.id, error });
  }

  onStall(): void {
    this.#scope.readerStalled(this.#ports.limits.slowReaderMs);
  }

  onCut(): void {
    this.#ports.log.info("response_cut", { call_id: this.#scope.id, limit_ms: this.#ports.limits.slowReaderMs });
  }

  #admit(): void {
    const { method } = this.#spec;
    const request = { service: method.parent, method, header: this.#headers, peer: this.#channel.peer };
    this.#ports.calls.admit(this.#scope, request);
    if (this.#encodingError) throw this.#encodingError;
    if (!this.#scope.call) {
      this.#timer = startRequestedTimer(this.#headers, () =>
        this.#fail(new ConnectError("the operation timed out", Code.DeadlineExceeded)),
      );
    }
  }

  async #run(): Promise<void> {
    const spec = this.#spec;
    const { kind } = spec;
    const scope = this.#scope;
    const context = this.#context;
    switch (kind) {
      case "unary": {
        const message = await this.#soleMessage();
        return this.#sendLast(await soleAnswer(scope, () => spec.impl(message, context)));
      }
      case "client_streaming":
        return this.#sendLast(await soleAnswer(scope, () => spec.impl(this.#requestMessages(), context)));
      case "server_streaming": {
        const message = await this.#soleMessage();
        return this.#sendAll(() => spec.impl(message, context));
      }
      case "bidi_streaming":
        return this.#sendAll(() => spec.impl(this.#requestMessages(), context));
    }
  }

  /** Rejects with a ConnectError. */
  async #soleMessage(): Promise<Message> {
    const scope = this.#scope;
    const request = new SingleMessage(this.#channel, this.#codec, this.#spec.kind);
    this.#request = request;
    scope.concludeWith(() => request.stop(scope.issue(scope.signal.reason)));
    const { requestTimeoutMs } = this.#ports.limits;
    const timer = setTimeout(() => request.stop(scope.issue(tooSlow(requestTimeoutMs))), requestTimeoutMs);
    try {
      const message = await request.message;
      scope.enter();
      return message;
    } finally {
      clearTimeout(timer);
      this.#request = undefined;
      scope.concludeWith(() => {});
    }
  }

  #requestMessages(): AsyncIterable<Message> {
    const scope = this.#scope;
    const request = new RequestMessages(this.#channel, this.#codec, () => scope.enter());
    this.#request = request;
    scope.signal.addEventListener("abort", () => request.stop(scope.issue(scope.signal.reason)), { once: true });
    return request;
  }

  #sendAll(answer: () => AsyncIterable<MessageInitShape<DescMessage>>): void {
    this.#messages = AnswerMessages.of(answer, this.#scope);
    this.#messages.ask(this);
  }

  onStep(step: IteratorResult<MessageInitShape<DescMessage>>): void {
    try {
      if (step.done) this.#finish(undefined);
      else this.#sendThenAsk(step.value);
    } catch (error) {
      this.#fail(error);
    }
  }

  #sendThenAsk(message: MessageInitShape<DescMessage>): void {
    const room = this.#send(message);
    if (room === undefined) this.#ask();
    else room.then(() => this.#ask(), this.onFailure);
  }

  readonly onFailure = (error: unknown): void => this.#fail(error);

  #ask(): void {
    // Leaving ends the handler's stream.
    if (this.#isOver) this.#scope.leave();
    else this.#messages?.ask(this);
  }

  async #sendLast(message: MessageInitShape<DescMessage>): Promise<void> {
    const encoded = this.#codec.encode(message);
    const frame = encoded instanceof Promise ? await encoded : encoded;
    const room = this.#begin() ? this.#answer.writeLast(frame) : undefined;
    if (room !== undefined) await room;
    this.#finish(undefined);
  }

  /** @returns undefined where the next message may follow at once. */
  #send(message: MessageInitShape<DescMessage>): Promise<void> | undefined {
    const frame = this.#codec.encode(message);
    return frame instanceof Promise ? frame.then((ready) => this.#write(ready)) : this.#write(frame);
  }

  #write(frame: Frame): Promise<void> | undefined {
    return this.#begin() ? this.#answer.write(frame) : undefined;
  }

  /** Not before the first message, so that the handler may still add headers. False: the caller is gone. */
  #begin(): boolean {
    if (!this.#isOver) this.#sendHeaders();
    return !this.#isOver;
  }

  #sendHeaders(): void {
    if (!this.#answer.hasBegun) this.#answer.begin(this.#context.sentHeaders, this.#protocol.endsWithTrailers);
  }

  #fail(thrown: unknown): void {
    if (this.#isOver) return;
    const error = thrown instanceof ConnectError ? thrown : this.#scope.issue(thrown);
    this.#context.abort(error);
    this.#ports.calls.end(this.#scope, this.#context, error);
    this.#finish(error);
  }

  #finish(error: ConnectError | undefined): void {
    if (this.#isOver) return;
    this.#end();
    try {
      this.#sendHeaders();
      this.#sendEnding(error);
    } catch (error) {
      this.#breakOff(error);
    }
    this.#context.abort();
  }

  #sendEnding(error: ConnectError | undefined): void {
    const ending = this.#protocol.endingOf(error, this.#context.sentTrailers);
    if ("trailers" in ending) this.#answer.end(undefined, ending.trailers);
    else this.#sendLastFrame(ending.message);
  }

  #sendLastFrame(frame: Frame): void {
    const packed = this.#codec.pack(frame);
    if (packed instanceof Promise) {
      packed.then((ready) => this.#answer.end(ready, undefined)).catch((error: unknown) => this.#breakOff(error));
    } else this.#answer.end(packed, undefined);
  }

  /** The answer cannot be written, such as for a header of the handler's that HTTP does not take. */
  #breakOff(error: unknown): void {
    this.#ports.log.error("internal_error", { call_id: this.#scope.id, rpc: this.#scope.path, error });
    this.#channel.destroy();
  }

  /** The exchange is over. Nothing is left to do where that is because it was answered. */
  #leave(): void {
    if (this.#isOver) return;
    this.#end();
    const reason = callerLeft();
    this.#context.abort(reason);
    this.#ports.calls.end(this.#scope, this.#context, reason);
    this.#answer.stop();
    // What it sent will not be read. Later, because a reset of ours, which is told here too, is not sent yet.
    process.nextTick(() => this.#channel.destroy());
  }

  #end(): void {
    this.#isOver = true;
    this.#request?.abandon();
    clearTimeout(this.#timer);
  }
}
