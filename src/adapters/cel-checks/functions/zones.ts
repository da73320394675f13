import type { Budget } from "../budget.ts";

/** Formatters are large and slow to make; rules name one zone or two. */
const MAX_ZONES = 16;
/** Measured: forty microseconds. */
const STEPS_PER_FORMATTER = 150;
/** Measured: under two microseconds, to format and to read. */
const STEPS_PER_OFFSET = 4;
const MAX_NAME_CHARACTERS = 64;
const MINUTE_MS = 60_000;

/** How far time zones are ahead of UTC, as long as one answer is checked. */
export class Zones {
  readonly #budget: Budget;
  readonly #formatters = new Map<string, Intl.DateTimeFormat>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /**
   * @param zone as CEL has them: a name of the IANA data base, "+02:00" with or without its sign, "UTC", or "" for UTC.
   * @throws Error where there is no such zone.
   */
  offsetMs(zone: string, atMs: number): number {
    if (zone === "" || zone === "UTC") return 0;
    const fixed = /^([+-]?)([01]\d|2[0-3]):([0-5]\d)$/.exec(zone);
    if (fixed) return offset(fixed[1], fixed[2], fixed[3]);
    this.#budget.spend(STEPS_PER_OFFSET);
    // The runtime writes "GMT+09:00", and seconds for the local times of long ago.
    const text = this.#formatter(zone).format(atMs);
    const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text) ?? [];
    return offset(sign, hours, minutes, seconds);
  }

  #formatter(zone: string): Intl.DateTimeFormat {
    const known = this.#formatters.get(zone);
    if (known) return known;
    this.#budget.spend(STEPS_PER_FORMATTER);
    const made = makeFormatter(zone);
    if (this.#formatters.size >= MAX_ZONES) this.#formatters.clear();
    this.#formatters.set(zone, made);
    return made;
  }
}

function offset(sign = "+", hours = "0", minutes = "0", seconds = "0"): number {
  const ms = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS + Number(seconds) * 1000;
  return sign === "-" ? -ms : ms;
}

function makeFormatter(timeZone: string): Intl.DateTimeFormat {
  // The runtime would also take offsets that CEL does not know, such as "+01".
  if (/^[A-Za-z]/.test(timeZone) && timeZone.length <= MAX_NAME_CHARACTERS) {
    try {
      return new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new Error("there is no such time zone");
}
