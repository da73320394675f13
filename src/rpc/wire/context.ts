import type { OutgoingHttpHeaders } from "node:http";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type ContextValues, createContextValues, type HandlerContext } from "@connectrpc/connect";
import type { CallScope } from "../call/call-scope.ts";
import { peerKey, scopeKey } from "../call/call-setup.ts";
import { type ReceivedMessage, receivedKey } from "../call/decode-failure.ts";
import { requestedTimeoutMs } from "../call/timeout.ts";
import type { Channel } from "./channel/channel.ts";
import { fromHeaders, toHeaders } from "./metadata.ts";
import type { Protocol } from "./protocol.ts";

/** Said as the reason, so that aborting does not make a DOMException with a stack on every call. */
const OVER = "the call is over";

export interface WireContextInit {
  readonly method: DescMethod;
  readonly protocol: Protocol;
  readonly scope: CallScope;
  readonly channel: Channel;
  readonly received: ReceivedMessage;
  /** The headers of the answer that the transport sets. */
  readonly responseHeaders: OutgoingHttpHeaders;
}

/** What a handler may know of its call. Most ask for little of it, so that each part is made when it is asked for. */
export class WireContext implements HandlerContext {
  readonly method: DescMethod;
  readonly service: DescService;
  readonly protocolName: Protocol["name"];
  readonly requestMethod = "POST";
  readonly #init: WireContextInit;
  readonly #startedMs = performance.now();
  #controller: AbortController | undefined;
  #values: ContextValues | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #abortReason: unknown;

  constructor(init: WireContextInit) {
    this.#init = init;
    this.method = init.method;
    this.protocolName = init.protocol.name;
    this.service = init.method.parent;
  }

  /** Aborted when the call is over, however it ends. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown = OVER): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }

  get values(): ContextValues {
    const { scope, channel, received } = this.#init;
    this.#values ??= createContextValues().set(scopeKey, scope).set(peerKey, channel.peer).set(receivedKey, received);
    return this.#values;
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= toHeaders(this.#init.channel.headers);
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= toHeaders(this.#init.responseHeaders);
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers(this.#init.protocol.firstTrailers);
    return this.#responseTrailer;
  }

  get url(): string {
    return this.#init.channel.url;
  }

  readonly timeoutMs = (): number | undefined => {
    const timeoutMs = requestedTimeoutMs(this.requestHeader);
    return timeoutMs === undefined ? undefined : timeoutMs - (performance.now() - this.#startedMs);
  };

  /** The headers of the answer, with what the handler added. */
  get sentHeaders(): OutgoingHttpHeaders {
    return this.#responseHeader ? fromHeaders(this.#responseHeader) : this.#init.responseHeaders;
  }

  /** The trailers that the handler set; undefined where it set none. */
  get sentTrailers(): Headers | undefined {
    return this.#responseTrailer;
  }
}
