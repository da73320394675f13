import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type FieldViolation, SluiceError } from "../../core/failure.ts";

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_DAYS = 400;
/** How many UTC days a range without a begin has, its last one included. */
const DEFAULT_DAYS = 7;
/** The begin of the year 10000, which neither timestamps in JSON nor the database's notation of times have. */
export const END_OF_TIME_MS = 253_402_300_800_000;

/**
 * The range that a request means, exact to the millisecond.
 * @throws SluiceError INVALID_REQUEST for times that are none, that are before 1970 or after 9999, that are not in order,
 *   and for more than 400 days.
 */
export function readRange(
  { from, to }: { readonly from?: Timestamp | undefined; readonly to?: Timestamp | undefined },
  nowMs: number,
): TimeRange {
  const violations = [...timeViolations("from", from), ...timeViolations("to", to)];
  if (violations.length > 0) throw new SluiceError({ reason: "INVALID_REQUEST", violations });
  const toMs = to ? msOf(to) : nowMs;
  const fromMs = from ? msOf(from) : Math.max(0, startOfDay(toMs - 1) - (DEFAULT_DAYS - 1) * DAY_MS);
  if (fromMs >= toMs) throw refused("from", "range.order", "must be before `to`, which is now where it is not set");
  if (toMs - fromMs > MAX_DAYS * DAY_MS)
    throw refused("from", "range.max", `must be at most ${MAX_DAYS} days before \`to\``);
  return { fromMs, toMs };
}

/** The same with whole hours: the begin earlier, the end later. The last hour of 9999 ends in its last millisecond. */
export function wholeHours({ fromMs, toMs }: TimeRange): TimeRange {
  const endMs = Math.min(Math.ceil(toMs / HOUR_MS) * HOUR_MS, END_OF_TIME_MS - 1);
  return { fromMs: Math.floor(fromMs / HOUR_MS) * HOUR_MS, toMs: endMs };
}

function timeViolations(field: string, time: Timestamp | undefined): FieldViolation[] {
  if (!time) return [];
  if (time.nanos < 0 || time.nanos > 999_999_999) {
    return [{ field, rule: "timestamp.nanos", description: "nanos must be from 0 to 999,999,999" }];
  }
  if (time.seconds < 0n || time.seconds >= BigInt(END_OF_TIME_MS / 1000)) {
    return [{ field, rule: "timestamp.year", description: "must be in the years 1970 to 9999" }];
  }
  return [];
}

function msOf({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + Math.floor(nanos / 1_000_000);
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

function refused(field: string, rule: string, description: string): SluiceError {
  return new SluiceError({ reason: "INVALID_REQUEST", violations: [{ field, rule, description }] });
}
