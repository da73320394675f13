import type { Writable } from "node:stream";
import winston from "winston";
import type { Log, LogFields, LogLevel } from "../core/log.ts";
import { logLine } from "./winston-log/line.ts";
import { LineTransport } from "./winston-log/line-transport.ts";

/** Where winston looks for the finished text of a line. */
const MESSAGE = Symbol.for("message");

/**
 * A log of one JSON object per line (see `logLine` for its shape and bounds), written to `stream`, by default stdout.
 * Lines below `level` (default "info") cost next to nothing.
 *
 * `flush` resolves when everything logged so far is handed to the operating system; lines logged after it are dropped,
 * so it is called last. It neither closes the stream nor rejects.
 */
export function createWinstonLog(
  options: { level?: LogLevel; stream?: Writable } = {},
): Log & { flush(): Promise<void> } {
  const stream = options.stream ?? process.stdout;
  const logger = winston.createLogger({
    level: options.level ?? "info",
    format: winston.format((info) => {
      info[MESSAGE] = logLine(new Date(), info.level, info.message, asFields(info.fields));
      return info;
    })(),
    transports: [new LineTransport(stream)],
  });
  let flushed: Promise<void> | undefined;

  // A disabled level would still run through winston's formats: 10 µs a line.
  const isEnabled = (level: LogLevel) => flushed === undefined && logger.isLevelEnabled(level);
  const write =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (isEnabled(level)) logger.log({ level, message: event, fields });
    };

  return {
    isEnabled,
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    flush() {
      flushed ??= new Promise<void>((resolve) => {
        logger.once("finish", () => resolve());
        logger.end();
      }).then(() => drained(stream));
      return flushed;
    },
  };
}

function asFields(value: unknown): LogFields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** An empty write is called back after all writes before it, and with an error when the stream is gone. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write("", () => resolve());
  });
}
