export type LogLevel = "debug" | "info" | "warn" | "error";

/** Structured fields of a log line. Never texts of prompts, documents or answers. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where log lines go. `event` is a fixed snake_case word that people search for; everything variable is a field. */
export interface Log {
  isEnabled(level: LogLevel): boolean;
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** `fields.error` may be any thrown value; its stack and causes are logged. */
  error(event: string, fields?: LogFields): void;
}

/** Drops everything. For tests of things that happen to log. */
export const silentLog: Log = { isEnabled: () => false, debug() {}, info() {}, warn() {}, error() {} };
