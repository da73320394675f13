import { invalidRequest } from "../../core/failure.ts";
import type { HeaderReader } from "../auth.ts";

/** gRPC over HTTP/2: up to 8 digits and a unit, from hours to nanoseconds. */
const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1000],
  ["m", 1],
  ["u", 1e-3],
  ["n", 1e-6],
]);
/** Connect: up to 10 digits of milliseconds. */
const CONNECT_TIMEOUT = /^\d{1,10}$/;

/** A timer that is set to more fires at once, and so would the transport's. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The timeout that the caller asked for, in milliseconds with a fraction; 0 is over already.
 * @returns `undefined` where it did not ask.
 * @throws SluiceError INVALID_REQUEST naming the header, where it is malformed.
 */
export function requestedTimeoutMs(header: HeaderReader): number | undefined {
  const grpc = header.get("grpc-timeout");
  if (grpc !== null) return grpcTimeoutMs(grpc);
  const connect = header.get("connect-timeout-ms");
  if (connect === null) return undefined;
  if (!CONNECT_TIMEOUT.test(connect)) {
    throw invalidRequest("connect-timeout-ms", "header.format", "must be 1 to 10 digits, in milliseconds");
  }
  return Number(connect);
}

function grpcTimeoutMs(value: string): number {
  const [, digits, letter = ""] = GRPC_TIMEOUT.exec(value) ?? [];
  const unitMs = UNIT_MS.get(letter);
  if (unitMs === undefined) {
    throw invalidRequest("grpc-timeout", "header.format", "must be 1 to 8 digits and one of H, M, S, m, u, n");
  }
  return Number(digits) * unitMs;
}

/**
 * Keeps the transport's own timer from overflowing: a longer timeout becomes about 24 days. The configured maximum, which
 * is what counts, is applied when the call is set up. Malformed values are left for that too.
 */
export function capTimerHeaders(header: Headers): void {
  const grpc = GRPC_TIMEOUT.exec(header.get("grpc-timeout") ?? "");
  if (grpc && Number(grpc[1]) * (UNIT_MS.get(grpc[2] ?? "") ?? 0) > MAX_TIMER_MS) {
    header.set("grpc-timeout", `${Math.trunc(MAX_TIMER_MS / 1000)}S`);
  }
  const connect = header.get("connect-timeout-ms");
  if (connect !== null && CONNECT_TIMEOUT.test(connect) && Number(connect) > MAX_TIMER_MS) {
    header.set("connect-timeout-ms", String(MAX_TIMER_MS));
  }
}
