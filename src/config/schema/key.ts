import * as z from "zod";

declare module "zod" {
  interface GlobalMeta {
    /** What values are measured in, where the name of the key does not end in it. */
    unit?: string;
    /** The default in words, for a default that depends on other keys or on the machine. */
    defaultText?: string;
    /** Whether the whole value may be `${NAME}`, which stands for an environment variable. */
    env?: boolean;
    /** Whether the value is never shown. */
    secret?: boolean;
  }
}

/** The longest delay that Node's timers take; a longer one would fire at once. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/** A duration in milliseconds, from `min` to the longest that a timer can hold (about 24 days). */
export function durationMs(min: number) {
  return z.int().min(min).max(MAX_DURATION_MS);
}

/** A whole number from 1 to `max`. */
export function count(max: number) {
  return z.int().min(1).max(max);
}

/** Text of 1 to `max` characters without control characters. */
export function plainText(max = 1024) {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u, "must not hold control characters");
}
