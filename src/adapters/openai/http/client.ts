import { AsyncLocalStorage } from "node:async_hooks";
import { Socket } from "node:net";
import { Agent, buildConnector, type Dispatcher, request } from "undici";
import type { ResponseHeaders } from "../errors/wait.ts";
import { CONNECT_TIMEOUT_MS, DRAIN_BYTES, DRAIN_MS, KEEP_ALIVE_MS, MAX_HEADER_BYTES } from "../limits.ts";
import type { Endpoint } from "../request/endpoint.ts";
import type { AttemptLimits } from "./attempt-limits.ts";

/** A body grew beyond its limit. */
export class BodyTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`the body is larger than ${maxBytes} bytes`);
    this.name = "BodyTooLargeError";
  }
}

/**
 * The connections to one provider. How many are open at once is limited by the pipeline, which knows what they are for;
 * a limit here would queue unseen. Redirects are not followed. undici's own timeouts are off: those of the attempt rule.
 */
export function createAgent(): Agent {
  return new Agent({
    allowH2: false,
    connect: abortableConnector(),
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
}

/** The signal of the request for which a connection is made. */
const connectingFor = new AsyncLocalStorage<AbortSignal>();

/**
 * undici looks at a request's signal once there is a connection, so that a request whose connection is being made would
 * wait for it, or for its timeout, before it is aborted. Here its signal ends the connecting too.
 */
function abortableConnector(): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false });
  return (options, callback) => {
    const signal = connectingFor.getStore();
    const controller = new AbortController();
    const socket: unknown = connect(options, (...result) => {
      controller.abort();
      callback(...result);
    });
    if (!(socket instanceof Socket)) return;
    const leave = () => socket.destroy(signal?.reason);
    if (signal?.aborted) leave();
    else signal?.addEventListener("abort", leave, { once: true, signal: controller.signal });
  };
}

/** Sends one request and resolves when the response's header is there. Rejects as undici does, also when the limits' signal fires. */
export async function post(
  agent: Agent,
  endpoint: Endpoint,
  headers: Readonly<Record<string, string>>,
  body: string,
  limits: AttemptLimits,
): Promise<HttpResponse> {
  const response = await connectingFor.run(limits.signal, () =>
    request(endpoint.origin + endpoint.path, {
      dispatcher: agent,
      method: "POST",
      headers: { ...endpoint.headers, ...headers },
      body,
      signal: limits.signal,
    }),
  );
  return new HttpResponse(response, limits);
}

/** A response whose body is read piece by piece, within the limits of its attempt. */
export class HttpResponse {
  readonly status: number;
  /** Names in lower case; repeated ones joined by commas. */
  readonly headers: ResponseHeaders;
  readonly #body: Dispatcher.ResponseData["body"];
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #limits: AttemptLimits;
  #bytes = 0;
  #isOver = false;

  constructor(response: Dispatcher.ResponseData, limits: AttemptLimits) {
    this.status = response.statusCode;
    this.headers = Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(", ") : (value ?? ""),
      ]),
    );
    this.#body = response.body;
    // A destroyed body reports its destruction as an error, also when nobody reads it any more.
    this.#body.on("error", () => {});
    this.#pieces = response.body[Symbol.asyncIterator]();
    this.#limits = limits;
  }

  /**
   * The next piece; `undefined` at the end.
   * @throws BodyTooLargeError when more than `maxBytes` came in all; what undici throws for a broken connection.
   */
  async next(maxBytes: number): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#limits.piece(() => this.#pieces.next());
    if (done) {
      this.#isOver = true;
      return undefined;
    }
    this.#bytes += value.length;
    if (this.#bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
    return value;
  }

  /** Closes the socket, unless the whole body was read and the connection can serve again. */
  close(): void {
    if (!this.#isOver) this.#body.destroy();
  }

  /**
   * Reads what is left after a complete answer, normally nothing but the end mark, so that the connection can serve
   * again. Does not wait for it, and closes the socket if it takes too much or too long.
   */
  release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const timer = setTimeout(() => this.#body.destroy(), DRAIN_MS);
    timer.unref();
    const drain = async () => {
      for (let bytes = 0; bytes <= DRAIN_BYTES; ) {
        const { done, value } = await this.#pieces.next();
        if (done) return;
        bytes += value.length;
      }
      this.#body.destroy();
    };
    // A connection that breaks now takes nothing with it: the answer is complete.
    drain()
      .catch(() => {})
      .finally(() => clearTimeout(timer));
  }
}
