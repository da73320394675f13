import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";

/** Where the version stands in a UUID as text. */
const VERSION_AT = 14;

/**
 * A UUID of version 7 (RFC 9562, 5.7): 48 bits of milliseconds since 1970, then 74 random bits, so that ids sort by
 * the time of the call and cannot be guessed. The random bits and the variant are those of a UUID of version 4, which
 * has them in the same places, and for which Node asks for randomness in advance.
 */
export function newCallId(clock: Clock): string {
  const time = Math.max(0, Math.trunc(clock.nowMs())).toString(16).padStart(12, "0").slice(-12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(VERSION_AT + 1)}`;
}
