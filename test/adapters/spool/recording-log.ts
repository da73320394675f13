import type { Log, LogFields } from "../../../src/core/log.ts";

/** A log that keeps its lines. */
export interface RecordingLog extends Log {
  readonly lines: { level: string; event: string; fields: LogFields }[];
  events(): string[];
}

export function recordingLog(): RecordingLog {
  const lines: RecordingLog["lines"] = [];
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      void lines.push({ level, event, fields });
  return {
    lines,
    events: () => lines.map((line) => line.event),
    isEnabled: () => true,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}
