import type { HeaderReader } from "../auth.ts";
import { MAX_TIMER_MS, requestedTimeoutMs } from "../call/timeout.ts";

/**
 * Keeps to the timeout that the caller of an operational service asks for; such calls have no deadline of ours.
 * @returns undefined where the caller asks for none.
 * @throws SluiceError INVALID_REQUEST for a malformed timeout.
 */
export function startRequestedTimer(header: HeaderReader, expire: () => void): NodeJS.Timeout | undefined {
  const timeoutMs = requestedTimeoutMs(header);
  return timeoutMs === undefined ? undefined : setTimeout(expire, Math.min(timeoutMs, MAX_TIMER_MS));
}
