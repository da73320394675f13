/** What a load is told, as JSON in its first argument. */
export interface LoadSettings {
  port: number;
  kind: "unary" | "stream";
  connections: number;
  /** Messages of each answer. One more or less is an error. */
  messages: number;
  pace:
    | { kind: "in flight"; calls: number; durationMs: number }
    | { kind: "at a rate"; perSecond: number; durationMs: number }
    | { kind: "at once"; calls: number };
}

/** What a load prints as JSON when it is done. */
export interface Load {
  calls: number;
  messages: number;
  /** From the first call's start to the last one's end. */
  seconds: number;
  /** Share of a core that the load took in that time. */
  cpuShare: number;
  /** Of calls, from when they were meant to start, in ms. */
  p50: number;
  p99: number;
  p999: number;
  /** How late the load itself started the latest hundredth of its calls, in ms. */
  lateP99: number;
}

export function loadSettings(): LoadSettings {
  return JSON.parse(process.argv[2] ?? "{}");
}
