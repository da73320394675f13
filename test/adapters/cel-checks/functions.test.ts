import assert from "node:assert/strict";
import { verdict } from "./support.ts";

const chunks = [
  { id: "c1", text: "The harbour\n  opens at “seven” o’clock." },
  { id: "c2", text: "Ships wait." },
];

/** Rules over one value, with what they say. */
function expectAll(output: unknown, expected: Readonly<Record<string, string>>, input: unknown = {}): void {
  for (const [rule, wanted] of Object.entries(expected)) {
    assert.equal(verdict(rule, { output, input, chunks }), wanted, rule);
  }
}

describe("numbers in rules", () => {
  it("of JSON compare with ints and doubles by value", () => {
    expectAll(
      { n: 7, x: 7.5, list: [1, 2, 3] },
      {
        "output.n == 7": "holds",
        "output.n == 7.0": "holds",
        "output.n < 8 && output.n >= 7 && output.x > 7": "holds",
        "output.n in [1, 7]": "holds",
        "2 in output.list": "holds",
        "output.list.size() == 3 && size(output.list) == output.list[2]": "holds",
        "output.list == [1, 2, 3]": "holds",
        "output.list[output.n - 6] == 2": "holds",
      },
    );
  });

  it("of JSON calculate with ints, as doubles; % takes whole numbers", () => {
    expectAll(
      { n: 7, x: 7.5 },
      {
        "output.n + 1 == 8 && 1 + output.n == 8": "holds",
        "output.n / 2 == 3.5": "holds",
        "7 / 2 == 3": "holds",
        "output.n % 2 == 1 && output.n % output.n == 0": "holds",
        "output.x % 2 == 1": "line 1, column 10: % takes whole numbers only",
        "output.n % 0 == 1": "line 1, column 10: modulus by zero",
        "int(output.x) == 7": "holds",
      },
    );
  });

  it("sum as decimals do, rounded once at the end", () => {
    expectAll(
      { lines: [{ amount: 100.1 }, { amount: 19.02 }], mixed: [1, "2"], tiny: [1e300, 1e-300, -1e300], none: [] },
      {
        "sum(output.lines.map(l, l.amount)) == 119.12": "holds",
        "output.lines[0].amount + output.lines[1].amount == 119.12": "broken",
        "sum([0.1, 0.2]) == 0.3 && sum([1, 2]) == 3 && sum([1, 0.5, 2u]) == 3.5": "holds",
        "sum([-0.3, 0.1, 0.2]) == 0": "holds",
        "sum(output.tiny) == 1e-300": "holds",
        "sum(output.none) == 0": "holds",
        "sum(output.mixed) == 3": "line 1, column 1: sum takes numbers only",
      },
    );
  });

  it("are approximately equal where only the rounding of doubles differs", () => {
    const output = { one: 1, large: 12345678901.23, inf: 1e308 };
    expectAll(output, {
      "approx(100.10 + 19.02, 119.12)": "holds",
      "approx(0.1 + 0.2, 0.3)": "holds",
      "approx(1000000.1 - 1000000.0, 0.1)": "holds",
      "approx(3, 3.0)": "holds",
      "approx(output.one, 1.01)": "broken",
      "approx(output.large, 12345678901.24)": "broken",
      "approx(output.inf * 10 - output.inf * 10, output.inf * 10 - output.inf * 10)": "broken",
      "approx(output.inf * 10, 1.0)": "broken",
    });
  });
});

describe("cited and quoted", () => {
  it("say whether chunks of these ids were shown", () => {
    expectAll(
      { ids: ["c1", "c2"], bad: ["c1", "c3"], none: [], no: [1] },
      {
        "cited('c1') && cited(output.ids) && cited(output.none)": "holds",
        "cited(output.bad)": "broken",
        "cited('')": "broken",
        "cited(output.no)": "line 1, column 1: cited takes texts only",
      },
    );
  });

  it("find texts in chunks and input, white space and kinds of quotation marks aside", () => {
    const input = { doc: { pages: ["He said «no»."] }, n: 7 };
    const quotes = { good: ["Ships  wait", "“no”"], far: "o'clock. Ships" };
    const expected = {
      "quoted('The harbour opens at \"seven\" o\\'clock')": "holds",
      "quoted(output.good)": "holds",
      "quoted(output.far)": "broken",
      "quoted('ships wait')": "broken",
      "quoted('') || quoted('  ')": "broken",
      "quoted('doc')": "broken",
      "quoted(output.good + ['Ships sank'])": "broken",
    };
    expectAll(quotes, expected, input);
    assert.equal(verdict("quoted(output)", { output: "a\0b", input: ["a", "b"] }), "broken");
  });
});

describe("what is absent", () => {
  it("is told apart from what is there by has, for which null is absent", () => {
    expectAll(
      { due: null, date: "2025-01-02" },
      {
        "has(output.due) || has(output.other)": "broken",
        "output.due == null": "holds",
        "has(output.date)": "holds",
        "!has(output.due) || output.due >= output.date": "holds",
        "output.other == 1": "line 1, column 7: there is no other",
        "output.other == 1 || output.due == null": "holds",
        "output.due >= output.date":
          "line 1, column 12: found no matching overload for '_>=_' applied to '(null_type, string)'",
      },
    );
  });

  it("is explained without quoting the answer", () => {
    const output = { key: "secret", list: [1], text: "secret" };
    expectAll(output, {
      "output[output.key] == 1": "line 1, column 1: a key is not there",
      "output.list[5] == 1": "line 1, column 1: the list has no item at this place",
      "int(output.text) == 1": "line 1, column 1: an operation fails on this value",
      "output.text": "the rule yields a string, not a bool",
    });
  });
});

describe("texts in rules", () => {
  it("match RE2 patterns and count characters", () => {
    expectAll(
      { code: "EUR", smile: "a😀" },
      {
        "output.code.matches('^[A-Z]{3}$') && !output.code.matches('^[a-z]+$')": "holds",
        "output.code.matches('(?i)eur')": "holds",
        "output.smile.size() == 2 && size('') == 0": "holds",
        "output.code.contains('UR') && !output.code.contains('URE') && output.code.startsWith('E')": "holds",
        "chunks.exists(c, c.text.contains('Ships')) && chunks.all(c, c.id.startsWith('c'))": "holds",
        "timestamp(output.code) > timestamp('2025-01-01T00:00:00Z')":
          "line 1, column 1: the text is not an RFC 3339 time, such as 2025-01-31T09:30:00Z",
      },
    );
  });

  it("are found however long they are", () => {
    const text = `${"ab".repeat(500)}abc${"ab".repeat(500)}`;
    for (const part of [text.slice(200, 1200), "ab".repeat(100), `${"ab".repeat(60)}c`, text]) {
      assert.equal(verdict("output.t.contains(output.p)", { output: { t: text, p: part } }), "holds");
    }
    for (const part of [`${"ab".repeat(60)}d`, `${"ab".repeat(60)}ca${"ab".repeat(3)}b`, `${text}a`]) {
      assert.equal(verdict("output.t.contains(output.p)", { output: { t: text, p: part } }), "broken");
    }
  });

  it("are the whole answer where it is text", () => {
    assert.equal(verdict("output.size() <= 5", { output: "hello" }, {}), "holds");
    assert.equal(verdict("output.size() <= 5", { output: "hello!" }, {}), "broken");
  });
});
