import type { Writable } from "node:stream";
import winston from "winston";
import { logLine } from "./line.ts";

const MESSAGE = Symbol.for("message");

/** What may wait for a reader of the log that does not keep up. Beyond it lines are dropped and counted. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Writes lines to a stream. Unlike the winston transport it extends, it is bounded: while more than 4 MiB wait for a
 * slow reader, lines are dropped, and the next line that gets through is followed by a `log_lines_dropped` line.
 */
export class LineTransport extends winston.transports.Stream {
  readonly #stream: Writable;
  #dropped = 0;

  constructor(stream: Writable) {
    super({ stream });
    this.#stream = stream;
    // A reader that went away (EPIPE) must not end the service, and there is no other place to report it.
    stream.on("error", () => {});
  }

  override log(info: { readonly [MESSAGE]?: unknown }, next: () => void): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded || stream.writableLength > MAX_WAITING_BYTES) {
      this.#dropped++;
      next();
      return;
    }
    stream.write(`${String(info[MESSAGE])}\n`);
    if (this.#dropped > 0) {
      stream.write(`${logLine(new Date(), "warn", "log_lines_dropped", { count: this.#dropped })}\n`);
      this.#dropped = 0;
    }
    next();
  }
}
