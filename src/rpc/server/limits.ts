/** Bounds of the server. `docs/limits.md` says what happens one past each. */
export interface ServerLimits {
  /** Largest message of a request, after decompression. */
  readonly messageBytes: number;
  /** Largest message of an answer, before compression. */
  readonly responseBytes: number;
  /** Answers of at least this size are compressed for callers that accept gzip; compressing small ones costs more than it saves. */
  readonly compressMinBytes: number;
  /** Largest block of request headers, on HTTP/1.1 and HTTP/2. */
  readonly headerBytes: number;
  readonly maxConnections: number;
  /** Most streams at once in one HTTP/2 connection. */
  readonly maxStreams: number;
  /** Until a connection has said by its first bytes what it speaks (and, with TLS, shaken hands). */
  readonly prefaceTimeoutMs: number;
  /** Until the headers of an HTTP/1.1 request are complete. */
  readonly headersTimeoutMs: number;
  /** Until the body of a request with one message is complete. */
  readonly requestTimeoutMs: number;
  /** How long an answer may wait for its reader: a stream ends with SLOW_READER then, any answer is cut off after twice that. */
  readonly slowReaderMs: number;
  /** How long a connection without a call stays open. */
  readonly idleTimeoutMs: number;
  /** Between pings on an HTTP/2 connection with streams, which find callers that vanished. */
  readonly pingIntervalMs: number;
  /** Until such a ping must be answered. */
  readonly pingTimeoutMs: number;
  /** Streams that one HTTP/2 connection may reset at once, and how many of them it regains per second (CVE-2023-44487). */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
}

export const defaultLimits: ServerLimits = {
  messageBytes: 8 * 1024 * 1024,
  responseBytes: 64 * 1024 * 1024,
  compressMinBytes: 16 * 1024,
  headerBytes: 16 * 1024,
  maxConnections: 4096,
  maxStreams: 256,
  prefaceTimeoutMs: 5_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  slowReaderMs: 30_000,
  idleTimeoutMs: 300_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 20_000,
  resetBurst: 1000,
  resetsPerSecond: 33,
};

/**
 * The defaults with some limits replaced.
 * @throws RangeError for a limit that is not a whole number above 0.
 */
export function serverLimits(overrides: Partial<ServerLimits> = {}): ServerLimits {
  const limits = { ...defaultLimits, ...overrides };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`limit ${name}: expected a whole number above 0, got ${value}`);
  }
  return limits;
}
