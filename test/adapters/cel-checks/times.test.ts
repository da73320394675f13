import assert from "node:assert/strict";
import { verdict } from "./support.ts";

/** What the rule says of an answer that is a text. */
const about = (output: string, rule: string) => verdict(rule, { output }, {});

describe("times in rules", () => {
  it("are RFC 3339 texts of days that exist, in the years 1 to 9999", () => {
    for (const text of [
      "2024-02-29T00:00:00Z",
      "0001-01-01T00:00:00Z",
      "9999-12-31T23:59:59.999999999Z",
      "2024-01-01t00:00:00.5z",
      "2024-01-01T00:00:00+23:59",
    ]) {
      assert.equal(about(text, "timestamp(output) == timestamp(output)"), "holds", text);
    }
    const faults: Readonly<Record<string, RegExp>> = {
      "2024-02-30T00:00:00Z": /there is no such day$/,
      "2023-02-29T00:00:00Z": /there is no such day$/,
      "2024-13-01T00:00:00Z": /there is no such day$/,
      "2024-00-10T00:00:00Z": /there is no such day$/,
      "0000-12-31T23:59:59Z": /times are of the years 1 to 9999$/,
      "9999-12-31T23:59:59-01:00": /times are of the years 1 to 9999$/,
      "2024-01-01T24:00:00Z": /not an RFC 3339 time/,
      "2024-01-01T00:00:60Z": /not an RFC 3339 time/,
      "2024-01-01T00:00:00+99:99": /not an RFC 3339 time/,
      "2024-01-01T00:00:00": /not an RFC 3339 time/,
      "2024-01-01": /not an RFC 3339 time/,
    };
    for (const [text, fault] of Object.entries(faults)) {
      assert.match(about(text, "timestamp(output) == timestamp(output)"), fault, text);
    }
  });

  it("count seconds, and differ by durations", () => {
    const rules = [
      "timestamp(7) == timestamp('1970-01-01T00:00:07Z') && int(timestamp(output)) == 1735785000",
      "timestamp(output) - timestamp('2025-01-01T00:00:00Z') == duration('26h30m')",
      "timestamp('0001-01-01T00:00:00Z') - timestamp('9999-12-31T23:59:59Z') < duration('0s')",
      "timestamp(output) + duration('1h') > timestamp(output)",
    ];
    for (const rule of rules) assert.equal(about("2025-01-02T02:30:00Z", rule), "holds", rule);
    assert.match(about("253402300800", "timestamp(int(output)) > timestamp(0)"), /years 1 to 9999$/);
  });

  it("are read in UTC, at offsets and in named zones, to the last instant", () => {
    const rules = [
      "timestamp(output).getFullYear() == 9999 && timestamp(output).getMilliseconds() == 999",
      "timestamp(output).getMonth() == 11 && timestamp(output).getDayOfYear() == 364 && timestamp(output).getDayOfWeek() == 5",
      "timestamp(output).getDate() == 31 && timestamp(output).getDayOfMonth() == 30 && timestamp(output).getMinutes() == 59",
      "timestamp(output).getHours('') == 23 && timestamp(output).getHours('UTC') == 23",
      "timestamp(output).getHours('+05:30') == 5 && timestamp(output).getHours('05:30') == 5",
      "timestamp(output).getFullYear('-01:00') == 9999 && timestamp(output).getHours('-01:00') == 22",
      "timestamp(output).getHours('America/New_York') == 18 && timestamp(output).getDate('Asia/Tokyo') == 1",
      "timestamp('2024-07-01T00:00:00Z').getHours('Europe/Berlin') == 2",
      "timestamp('2024-12-31T23:30:00Z').getDayOfYear('Europe/Berlin') == 0",
      "timestamp('1960-01-01T00:00:00Z').getSeconds('Africa/Monrovia') == 30",
      "timestamp('0001-01-01T00:00:00Z').getFullYear('-01:00') == 0",
    ];
    for (const rule of rules) assert.equal(about("9999-12-31T23:59:59.999999999Z", rule), "holds", rule);
    for (const zone of ["+99:99", "+24:00", "+01:60", "X/Y", "+01", "GMT+1", " ", "x".repeat(10_000)]) {
      assert.match(about(zone, "timestamp(0).getHours(output) == 1"), /there is no such time zone$/, zone.slice(0, 9));
    }
  });

  it("make one formatter for each zone of an answer", () => {
    const original = Intl.DateTimeFormat;
    let made = 0;
    const counting = new Proxy(original, {
      construct: (target, args) => {
        made += 1;
        return Reflect.construct(target, args);
      },
    });
    Intl.DateTimeFormat = counting;
    try {
      const days = Array.from({ length: 3000 }, (_, day) => day * 86_400);
      const rule = "output.all(d, timestamp(int(d)).getHours('Europe/Berlin') in [1, 2])";
      assert.equal(verdict(rule, { output: days }), "holds");
    } finally {
      Intl.DateTimeFormat = original;
    }
    assert.equal(made, 1);
  });
});
