import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { createJsonSchemas } from "../../../src/adapters/json-schema/index.ts";
import { readValue } from "../../../src/pipeline/parse/read-value.ts";
import { readStrict } from "../../../src/pipeline/parse/strict-json.ts";
import { parseAnswer } from "../../../src/pipeline/parse.ts";
import { damage, deleteBracketOrQuote, restyle } from "./damage.ts";
import { pick, randomObject, randomValue, seeded } from "./random.ts";

const RUNS = 3000;
const schemas = createJsonSchemas();
const anything = schemas.compile("{}");
const anyObject = schemas.compile('{"type": "object"}');
const parse = (text: string, schema = anything) => parseAnswer({ text, finish: "stop" }, { kind: "json", schema });

/** Runs a property over many seeds; a failure names the seed. */
function forSeeds(property: (random: () => number) => void): void {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    try {
      property(seeded(seed));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
}

/** -0 and 0 are one number in JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function assertSameOrRejected(text: string, value: unknown): boolean {
  const parsed = parse(text, anyObject);
  if (parsed.ok) {
    assert.ok(
      isDeepStrictEqual(plain(parsed.value), value),
      `${text}\nwas read as\n${parsed.text}\ninstead of\n${JSON.stringify(value)}`,
    );
    assert.ok(isDeepStrictEqual(plain(JSON.parse(parsed.text)), value), `text differs from value: ${parsed.text}`);
  }
  return parsed.ok;
}

describe("reading what was written", () => {
  it("gives back every value that was written as JSON, text untouched, without repairs", () => {
    forSeeds((random) => {
      const value = plain(randomValue(random));
      const text = JSON.stringify(value, null, pick(random, [0, 2, "\t"]));
      assert.deepEqual(parse(text), { ok: true, text, repairs: [], value });
    });
  });

  it("reads strict JSON the same way by the fast and by the careful reader", () => {
    forSeeds((random) => {
      const text = `\n ${JSON.stringify(randomValue(random), null, pick(random, [0, 1]))} `;
      const fast = readStrict(text);
      if (fast) assert.deepEqual(fast, readValue(text, text.search(/\S/)));
    });
  });

  it("gives the value or a rejection, never another value, after slips of notation", () => {
    let accepted = 0;
    forSeeds((random) => {
      const value = plain(randomObject(random));
      if (assertSameOrRejected(restyle(random, value), value)) accepted += 1;
    });
    assert.ok(accepted > RUNS / 3, `${accepted} of ${RUNS} were read`);
  });

  it("gives the value or a rejection, never another value, between words, fences and reasoning", () => {
    let accepted = 0;
    forSeeds((random) => {
      const value = plain(randomObject(random));
      if (assertSameOrRejected(damage(random, restyle(random, value)), value)) accepted += 1;
    });
    assert.ok(accepted > RUNS / 10, `${accepted} of ${RUNS} were read`);
  });

  it("rejects every beginning of an object or a list that is not the whole", () => {
    forSeeds((random) => {
      const text = JSON.stringify(pick(random, [randomObject(random), [randomValue(random)]]));
      const cut = text.slice(0, Math.floor(random() * text.length));
      for (const answer of [cut, `Here it is:\n\n\`\`\`json\n${cut}`, `${cut}\n\`\`\``]) {
        assert.ok(!parse(answer).ok, answer);
      }
    });
  });

  it("gives the value or a rejection after the loss of one bracket, quote or colon", () => {
    forSeeds((random) => {
      const value = plain(randomObject(random));
      assertSameOrRejected(deleteBracketOrQuote(random, JSON.stringify(value)), value);
    });
  });

  it("never throws, whatever the text", () => {
    forSeeds((random) => {
      const text = JSON.stringify(randomObject(random)) + damage(random, JSON.stringify(randomValue(random)));
      const at = Math.floor(random() * text.length);
      parse(text.slice(at) + text.slice(0, at));
    });
  });
});
