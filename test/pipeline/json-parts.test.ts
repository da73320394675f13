import assert from "node:assert/strict";
import { createJsonSchemas } from "../../src/adapters/json-schema/index.ts";
import { Tape } from "../../src/pipeline/json-parts/tape.ts";
import { type JsonPart, JsonParts } from "../../src/pipeline/json-parts.ts";
import { readValue } from "../../src/pipeline/parse/read-value.ts";
import { parseAnswer } from "../../src/pipeline/parse.ts";
import { damage, deleteBracketOrQuote, restyle } from "./parse/damage.ts";
import { pick, randomObject, randomValue, seeded } from "./parse/random.ts";
import { cut, spell, valueAt } from "./part-texts.ts";

const RUNS = 2000;
const anything = createJsonSchemas().compile("{}");

function partsOf(pieces: Iterable<string>): JsonPart[] {
  const parts = new JsonParts();
  return [...pieces].flatMap((piece) => [...parts.push(piece)]);
}

/** Parts as `pointer text`, the same whether the text comes at once or one UTF-16 unit at a time. */
function listed(text: string): string[] {
  const parts = partsOf([text]);
  assert.deepEqual(partsOf(Array.from({ length: text.length }, (_, at) => text.charAt(at))), parts);
  return parts.map((part) => `${part.pointer} ${part.text}`);
}

function forSeeds(property: (random: () => number) => void): void {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    try {
      property(seeded(seed));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
}

describe("the parts of a JSON answer", () => {
  it("come as they complete, down to the third level, what is deeper with what holds it", () => {
    assert.deepEqual(listed('{"a": 1, "b": [true, {"c": {"d": [null]}}], "e": {}}'), [
      "/a 1",
      "/b/0 true",
      '/b/1/c {"d": [null]}',
      '/b/1 {"c": {"d": [null]}}',
      '/b [true, {"c": {"d": [null]}}]',
      "/e {}",
    ]);
    assert.deepEqual(listed("[[[[1]]]]"), ["/0/0/0 [1]", "/0/0 [[1]]", "/0 [[[1]]]"]);
  });

  it("have pointers of RFC 6901", () => {
    const text = '{"": 1, "a/b": 2, "m~n": 3, "~1": 4, "\\u0061": 5, "é🦀": 6, "7": 7}';
    assert.deepEqual(listed(text), ["/ 1", "/a~1b 2", "/m~0n 3", "/~01 4", "/a 5", "/é🦀 6", "/7 7"]);
  });

  it("are the model's own characters: digits, escapes and white space", () => {
    const list = '[12345678901234567890,1.10,-0.0,1E+2,"\\u0041\\/",{ "a" :\n[ ] }]';
    assert.deepEqual(listed(list), [
      "/0 12345678901234567890",
      "/1 1.10",
      "/2 -0.0",
      "/3 1E+2",
      '/4 "\\u0041\\/"',
      "/5/a [ ]",
      '/5 { "a" :\n[ ] }',
    ]);
  });

  it("come with the delta that completes them; a number only when something follows it", () => {
    const parts = new JsonParts();
    const pointers = ["[1", "2", '3,"a\\', '"b', '"', ",[4", "]", "]"].map((delta) =>
      parts.push(delta).map(({ pointer, text }) => `${pointer} ${text}`),
    );
    assert.deepEqual(pointers, [[], [], ["/0 123"], [], ['/1 "a\\"b"'], [], ["/2/0 4", "/2 [4]"], []]);
  });

  it("are whole characters, wherever the text is cut", () => {
    assert.deepEqual(listed('["🦀\\ud83e\\udd80"]'), ['/0 "🦀\\ud83e\\udd80"']);
  });

  const none: readonly string[] = [
    'Here it is: {"a": 1}',
    '```json\n{"a": 1}\n```',
    "\u00a0[1]",
    '"text"',
    "12 ",
    "true ",
    "",
    "}",
    "{'a': 1}",
    "{a: 1}",
    '{"a" 1}',
    '{"a"::1}',
    "{,}",
    "{1: 2}",
    '{"__proto__": 1}',
    '{"\\u005f_proto__": 1}',
    '{"\\ud800": 1}',
    "[,1]",
    "[01]",
    "[+1]",
    "[.5]",
    "[1.]",
    "[1e]",
    "[-]",
    "[0x10]",
    "[1_000]",
    "[1e999]",
    "[1e-999]",
    "[NaN]",
    "[True]",
    "[nulls]",
    '["\\ud800"]',
    '["\\udd80\\ud83e"]',
    '["\ud800"]',
    '["\\x41"]',
    '["\\u12g4"]',
    '["a\nb"]',
    '["a\u0000b"]',
    "[“a”]",
  ];
  for (const text of none) {
    it(`are none in ${JSON.stringify(text)}`, () => assert.deepEqual(listed(text), []));
  }

  it("end where the text is no strict JSON any more, and do not come back", () => {
    assert.deepEqual(listed('{"a": 1, "a": 2, "b": 3}'), ["/a 1"]);
    assert.deepEqual(listed('[{"a": {"x": {"y": {"z": 1, "z": 2}}}}, 3]'), []);
    assert.deepEqual(listed("[1, 2 3, 4]"), ["/0 1", "/1 2"]);
    assert.deepEqual(listed("[1/2]"), ["/0 1"]);
    assert.deepEqual(listed('{"a": 1, /* note */ "b": 2}'), ["/a 1"]);
    assert.deepEqual(listed("[1, ], 2]"), ["/0 1"]);
    assert.deepEqual(listed("[[1}, 2]"), ["/0/0 1"]);
    assert.deepEqual(listed('{"a": 1} {"b": 2}'), ["/a 1"]);
  });

  it("go as deep as answers may be, and depth ends in silence", () => {
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    assert.deepEqual(
      partsOf([nested(512)]).map((part) => part.pointer),
      ["/0/0/0", "/0/0", "/0"],
    );
    assert.deepEqual(partsOf([nested(513)]), []);
    assert.deepEqual(partsOf(["[".repeat(1_000_000), "1]"]), []);
  });

  it("leave out what has a pointer of more than 512 characters: it comes with what holds it", () => {
    const key = "k".repeat(509);
    const text = `{"a":{"${key}":[1,2]},"${key}k~":[3],"b":4}`;
    const pointers = partsOf([text]).map((part) => part.pointer);
    assert.deepEqual(pointers, [`/a/${key}`, "/a", "/b"]);
  });
});

describe("the parts of any JSON answer", () => {
  it("are exactly the values on its first three levels, however it is spelled and cut", () => {
    forSeeds((random) => {
      const value = pick(random, [randomValue(random), randomObject(random), [randomValue(random)]]);
      const { text, parts } = spell(random, value);
      const found = partsOf(cut(random, text));
      assert.deepEqual(found, parts, text);
      for (const part of found) {
        assertSays(part, value);
      }
    });
  });

  it("agree with the value that is read from a damaged text, unless that text is replaced", () => {
    let kept = 0;
    let replaced = 0;
    forSeeds((random) => {
      const value = randomObject(random);
      const damaged = pick(random, [
        () => restyle(random, value),
        () => damage(random, JSON.stringify(value)),
        () => deleteBracketOrQuote(random, JSON.stringify(value)),
        () => JSON.stringify(value).replace(/[\]}]$/, `, ${JSON.stringify(randomObject(random)).slice(1)}`),
      ])();
      const text = damaged.trim();
      const found = partsOf([text]);
      assert.deepEqual(partsOf(cut(random, text)), found, text);
      const parsed = parseAnswer({ text, finish: "stop" }, { kind: "json", schema: anything });
      if (!parsed.ok || parsed.text !== text) {
        replaced += found.length > 0 ? 1 : 0;
        return;
      }
      kept += found.length > 0 ? 1 : 0;
      assert.equal(found.length, countParts(parsed.value, 0), text);
      for (const part of found) {
        assertSays(part, parsed.value);
      }
    });
    assert.ok(kept > RUNS / 20 && replaced > RUNS / 20, `${kept} kept, ${replaced} replaced`);
  });
});

/** Read with the careful reader, since `JSON.parse` mixes up some keys with escapes. */
function assertSays({ text, pointer }: JsonPart, root: unknown): void {
  assert.equal(JSON.stringify(readValue(text, 0).value), JSON.stringify(valueAt(root, pointer)));
}

/** Values on the first three levels below a value. */
function countParts(value: unknown, level: number): number {
  if (typeof value !== "object" || value === null || level === 3) return 0;
  return Object.values(value).reduce<number>((sum, member) => sum + 1 + countParts(member, level + 1), 0);
}

describe("a tape of deltas", () => {
  it("forgets what lies before the oldest mark, and gives the text of the newest", () => {
    const tape = new Tape();
    for (let i = 0; i < 1_000; i += 1) {
      const mark = tape.mark(0);
      tape.next(`${i}`);
      tape.next("x");
      assert.equal(tape.take(mark, 1).slice(-1), "x");
      assert.ok(tape.length < 200);
    }
    const outer = tape.mark(0);
    for (const delta of ["a", "b", "c"]) tape.next(delta);
    const inner = tape.mark(0);
    tape.next("d");
    assert.equal(tape.take(inner, 1), "cd");
    assert.equal(tape.take(outer, 1), "xabcd");
  });
});
