import { grouped } from "./usage-money.ts";

/** A time in UTC, as all commands write it: `2026-11-24 03:00`. */
export function timeText(time: Date, unit: "day" | "minute" | "second" = "minute"): string {
  const text = time.toISOString().replace("T", " ");
  return text.slice(0, { day: 10, minute: 16, second: 19 }[unit]);
}

/** Milliseconds with two digits or more that count: `812 ms`, `2.3 s`, `65 s`. */
export function durationText(ms: number): string {
  if (ms >= 9950) return `${grouped(BigInt(Math.round(ms / 1000)))} s`;
  if (ms >= 995) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(0)} ms`;
}
