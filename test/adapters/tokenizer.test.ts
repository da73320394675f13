import assert from "node:assert/strict";
import { createFamilyFactors } from "../../src/adapters/tokenizer/family-factors.ts";
import { MAX_RUN_CHARACTERS, pieces } from "../../src/adapters/tokenizer/pieces.ts";
import { createTokenCounter, MAX_EXACT_CHARACTERS } from "../../src/adapters/tokenizer.ts";

const counter = createTokenCounter();

describe("token counter", () => {
  before(() => counter.warm());

  // Known counts for o200k_base.
  for (const [text, tokens] of [
    ["", 0],
    ["hello world", 2],
    ["tiktoken is great!", 6],
    ["antidisestablishmentarianism", 6],
    ["2 + 2 = 4", 7],
    ["お誕生日おめでとう", 8],
  ] as const) {
    it(`counts ${JSON.stringify(text)} as ${tokens} tokens`, () => assert.equal(counter.count(text, "openai"), tokens));
  }

  it("counts special tokens as the plain text they are", () => {
    assert.ok(counter.count("<|endoftext|>", "openai") > 1);
    assert.equal(counter.count("<|endoftext|>".repeat(10), "openai") > 10, true);
  });

  it("counts more for a family whose tokenizer is coarser, and with factor 1 for an unknown one", () => {
    const text = "The lock keeper opens the gate at seven. ".repeat(40);
    const base = counter.count(text, "openai");
    assert.ok(counter.count(text, "anthropic") > base);
    assert.equal(counter.count(text, "a family nobody has heard of"), base);
  });

  it("estimates before the vocabulary is loaded, upwards for English", () => {
    const cold = createTokenCounter();
    const text = "The lock keeper opens the gate at seven in the morning. ".repeat(20);
    assert.ok(cold.count(text, "openai") >= counter.count(text, "openai"));
    assert.equal(cold.count("", "openai"), 0);
    assert.equal(cold.count("a", "openai"), 1);
  });

  it("counts a text above the exact size by samples, close to its true count", () => {
    const sentence = "The lock keeper opens the gate at seven in the morning. ";
    const whole = sentence.repeat(Math.ceil((MAX_EXACT_CHARACTERS * 4) / sentence.length));
    const expected = (counter.count(sentence.repeat(100), "openai") / (sentence.length * 100)) * whole.length;
    const ratio = counter.count(whole, "openai") / expected;
    assert.ok(ratio > 0.97 && ratio < 1.03, `ratio ${ratio}`);
  });

  for (const [name, text] of [
    ["one letter", "a".repeat(1_000_000)],
    ["spaces", " ".repeat(1_000_000)],
    ["newlines", "\n".repeat(1_000_000)],
    ["emoji", "🦆".repeat(300_000)],
    ["a contraction", "'s".repeat(500_000)],
    ["lone surrogates", "\ud800".repeat(500_000)],
    ["words just below the cut", `${"ab".repeat(127)} `.repeat(4_000)],
  ] as const) {
    it(`finishes on a hostile run of ${name}`, () => assert.ok(counter.count(text, "openai") > 0));
  }
});

describe("pieces of a text", () => {
  it("leaves prose whole", () => {
    const text = "Locks lift ships.\n\n  They need water. ".repeat(100);
    assert.deepEqual([...pieces(text)], [text]);
  });

  it("cuts long runs and loses nothing", () => {
    const text = `start ${"x".repeat(1_000)} ${" ".repeat(700)}end`;
    const cut = [...pieces(text)];
    assert.equal(cut.join(""), text);
    for (const piece of cut)
      assert.doesNotMatch(piece, new RegExp(`\\S{${MAX_RUN_CHARACTERS + 1}}|\\s{${MAX_RUN_CHARACTERS + 1}}`));
  });

  it("never cuts a character in half", () => {
    for (const shift of ["", "x"]) {
      const text = shift + "🦆".repeat(1_000);
      for (const piece of pieces(text)) assert.ok(piece.isWellFormed());
    }
  });
});

describe("family factors", () => {
  it("move towards what providers report", () => {
    const factors = createFamilyFactors();
    for (let i = 0; i < 100; i++) factors.observe("openai", 1_000, 1_200);
    assert.ok(factors.factor("openai") > 1.15);
  });

  it("move little for one report, however odd", () => {
    const factors = createFamilyFactors();
    factors.observe("openai", 100, 1_000_000);
    assert.ok(factors.factor("openai") < 1.01);
  });

  it("stay between half and double their base", () => {
    const factors = createFamilyFactors();
    const base = factors.factor("anthropic");
    for (let i = 0; i < 10_000; i++) factors.observe("anthropic", 100, 10_000);
    assert.equal(factors.factor("anthropic"), base * 2);
    for (let i = 0; i < 10_000; i++) factors.observe("anthropic", 10_000, 100);
    assert.equal(factors.factor("anthropic"), base / 2);
  });

  it("ignore reports that say nothing", () => {
    const factors = createFamilyFactors();
    for (const [counted, reported] of [
      [0, 100],
      [100, 0],
      [10, 20],
      [Number.NaN, 100],
      [100, Number.POSITIVE_INFINITY],
      [-100, 100],
    ] as const) {
      factors.observe("openai", counted, reported);
    }
    assert.equal(factors.factor("openai"), 1);
  });

  it("learn a bounded number of families", () => {
    const factors = createFamilyFactors();
    for (let i = 0; i < 1_000; i++) factors.observe(`family ${i}`, 100, 150);
    assert.ok(factors.factor("family 0") > 1);
    assert.equal(factors.factor("family 999"), 1);
  });
});
