import type { ReaderWatch } from "./reader-watch.ts";

/** Written at once at most, so that a caller that reads a long answer slowly is seen to read. */
export const MAX_WRITE_BYTES = 64 * 1024;

/** The body in pieces, each of which is asked for when the connection has taken the one before; the watch is told of both. */
export function paced(body: AsyncIterable<Uint8Array>, watch: ReaderWatch): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => new PacedBody(body[Symbol.asyncIterator](), watch) };
}

class PacedBody implements AsyncIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #watch: ReaderWatch;
  #rest: Uint8Array | undefined;

  constructor(source: AsyncIterator<Uint8Array>, watch: ReaderWatch) {
    this.#source = source;
    this.#watch = watch;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#watch.taken();
    const step = this.#rest ? { value: this.#rest } : await this.#source.next();
    // After the end there is still the response to be taken, with its trailers.
    this.#watch.wrote();
    if (step.done) return step;
    const { value } = step;
    this.#rest = value.byteLength > MAX_WRITE_BYTES ? value.subarray(MAX_WRITE_BYTES) : undefined;
    return { done: false, value: this.#rest ? value.subarray(0, MAX_WRITE_BYTES) : value };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  /** A failure to write. */
  async throw(error: unknown): Promise<IteratorResult<Uint8Array>> {
    await this.#source.throw?.(error);
    return { done: true, value: undefined };
  }
}
