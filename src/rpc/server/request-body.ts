import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { invalidRequest } from "../../core/failure.ts";
import { scopeKey } from "../call/call-setup.ts";
import type { ReceivedMessage } from "../call/decode-failure.ts";

export interface RequestBodyOptions {
  /** Until the whole body must have come; `undefined` for streams of requests, which take as long as they take. */
  readonly timeoutMs: number | undefined;
  /** Whether to keep what was received until the request is decoded. */
  readonly keeps: "message" | "enveloped message" | "nothing";
}

/** The least bytes of an envelope: flags and length (gRPC and Connect streams). */
const ENVELOPE_BYTES = 5;

/** The body of one request: bounded in time by its own limit and by the call's signal. */
export class RequestBody implements AsyncIterable<Uint8Array>, ReceivedMessage {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #options: RequestBodyOptions;
  readonly #values: ContextValues;
  readonly #startedMs = performance.now();
  #kept: Uint8Array[] = [];

  constructor(source: AsyncIterable<Uint8Array>, values: ContextValues, options: RequestBodyOptions) {
    this.#source = source;
    this.#values = values;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const source = this.#source[Symbol.asyncIterator]();
    return {
      next: async () => {
        const step = await this.#bounded(source.next());
        if (!step.done && this.#options.keeps !== "nothing") this.#kept.push(step.value);
        return step;
      },
      // Not awaited: the source may wait for bytes that never come.
      return: async () => {
        source.return?.().then(undefined, () => {});
        return { done: true, value: undefined };
      },
    };
  }

  bytes(): Uint8Array | undefined {
    const received = Buffer.concat(this.#kept);
    if (this.#options.keeps === "nothing" || received.length === 0) return undefined;
    if (this.#options.keeps === "message") return received;
    if (received.length < ENVELOPE_BYTES || received.readUInt8(0) !== 0) return undefined;
    const end = ENVELOPE_BYTES + received.readUInt32BE(1);
    // Of a message that was cut off the cut is the fault, not the JSON.
    return end <= received.length ? received.subarray(ENVELOPE_BYTES, end) : undefined;
  }

  forget(): void {
    this.#kept = [];
  }

  #bounded<T>(work: Promise<T>): Promise<T> {
    const scope = this.#values.get(scopeKey);
    const { timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (thrown: unknown) => reject(scope ? scope.issue(thrown) : thrown);
      const leftMs =
        timeoutMs === undefined ? undefined : Math.max(0, timeoutMs - (performance.now() - this.#startedMs));
      const timer =
        leftMs === undefined
          ? undefined
          : setTimeout(
              () => fail(invalidRequest("", "request_timeout", `the body must arrive within ${timeoutMs} ms`)),
              leftMs,
            );
      const onAbort = () => fail(scope?.signal.reason);
      scope?.signal.addEventListener("abort", onAbort, { once: true });
      // The source fails only where its connection does, which is no bug of the handler that reads it.
      const onLoss = (cause: unknown) =>
        reject(new ConnectError("the caller left", Code.Canceled, undefined, undefined, cause));
      work.then(resolve, onLoss).finally(() => {
        clearTimeout(timer);
        scope?.signal.removeEventListener("abort", onAbort);
      });
    });
  }
}
