/** What a server of the wire benchmarks is told, as JSON in its first argument. It prints its port as JSON. */
export interface ServerSettings {
  /** Between the first and the last event of a stream. */
  deltas: number;
  /** How often each stream gets a delta; 0: all of them at once. */
  perSecond: number;
  /** Only for Sluice. */
  wire?: "native" | "connect";
  /** Only for Sluice: whether inputs are validated. Default: true. */
  validates?: boolean;
}

export function serverSettings(): ServerSettings {
  return JSON.parse(process.argv[2] ?? "{}");
}
