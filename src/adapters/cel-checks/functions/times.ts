import { type CelFunc, CelScalar, celFunc, celMethod, objectType } from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import { DurationSchema, type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { Evaluation } from "../evaluation.ts";

const { INT, STRING } = CelScalar;
const TIMESTAMP = objectType(TimestampSchema);
const DURATION = objectType(DurationSchema);

/** google.protobuf.Timestamp: from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z. */
const MIN_SECONDS = -62_135_596_800n;
const MAX_SECONDS = 253_402_300_799n;
const DAY_MS = 86_400_000;
/** Measured: a text that is read, or a message that is made, takes a microsecond. */
const STEPS_PER_TIME = 3;

/** RFC 3339, section 5.6; up to nine digits of a second, as in the JSON of google.protobuf.Timestamp. */
const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

const GETTERS: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

/**
 * Times as CEL's definition has them. The engine's own take days that do not exist and milliseconds for seconds, round
 * up into the next year, go by the zone of the machine, and make a formatter for every call.
 */
export function timeFunctions(evaluation: Evaluation): CelFunc[] {
  const { budget } = evaluation;
  const made = (make: () => Timestamp) => {
    budget.spend(STEPS_PER_TIME);
    return make();
  };
  return [
    celFunc("timestamp", [STRING], TIMESTAMP, (text) => made(() => readTimestamp(text))),
    celFunc("timestamp", [INT], TIMESTAMP, (seconds) => made(() => timestampOf(seconds, 0))),
    celFunc("_-_", [TIMESTAMP, TIMESTAMP], DURATION, (a, b) => {
      budget.spend(STEPS_PER_TIME);
      const nanos = nanosOf(a.message) - nanosOf(b.message);
      return create(DurationSchema, { seconds: nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) });
    }),
    ...Object.entries(GETTERS).flatMap(([name, get]) => {
      const read = ({ message }: { readonly message: Timestamp }, zone: string) => {
        budget.spend(1);
        const ms = Number(message.seconds) * 1000 + Math.floor(message.nanos / 1_000_000);
        return BigInt(get(new Date(ms + evaluation.zones.offsetMs(zone, ms))));
      };
      return [
        celMethod(name, TIMESTAMP, [], INT, function () {
          return read(this, "");
        }),
        celMethod(name, TIMESTAMP, [STRING], INT, function (zone) {
          return read(this, zone);
        }),
      ];
    }),
  ];
}

/** @throws Error with a message that quotes nothing. */
function readTimestamp(text: string): Timestamp {
  const parts = RFC_3339.exec(text);
  if (!parts) throw new Error("the text is not an RFC 3339 time, such as 2025-01-31T09:30:00Z");
  const [, year, month, day, hours, minutes, seconds, fraction = "", sign, zoneHours = 0, zoneMinutes = 0] = parts;
  const date = new Date(0);
  // A year below 100 would be taken for one of the last century.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) {
    throw new Error("there is no such day");
  }
  const offsetSeconds = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60 * (sign === "-" ? -1 : 1);
  const ofDay = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return timestampOf(BigInt(date.getTime() / 1000 + ofDay - offsetSeconds), Number(fraction.padEnd(9, "0")));
}

function timestampOf(seconds: bigint, nanos: number): Timestamp {
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) throw new Error("times are of the years 1 to 9999");
  return create(TimestampSchema, { seconds, nanos });
}

function nanosOf({ seconds, nanos }: Timestamp): bigint {
  return seconds * 1_000_000_000n + BigInt(nanos);
}

/** Counted from 0. */
function dayOfYear(date: Date): number {
  const first = new Date(date);
  first.setUTCMonth(0, 1);
  return Math.round((date.getTime() - first.getTime()) / DAY_MS);
}
