import assert from "node:assert/strict";
import { ConfigError } from "../../src/config.ts";
import { useConfigFile } from "./config-file.ts";

const MODELS = `
providers: { main: { base_url: https://api.openai.com/v1 }, local: { base_url: http://127.0.0.1:9/v1 } }
models: { fast: { provider: main, model: gpt-5-mini }, own: { provider: local, model: own-7b, context_tokens: 8192 } }
`;
const PRICES = "prompt_usd_per_million: 1, completion_usd_per_million: 2";

describe("overrides of prices", () => {
  const { load, problemsOf } = useConfigFile();
  const override = (...entries: readonly string[]) => `${MODELS}prices: { override: [ ${entries.join(", ")} ] }`;

  it("may be for one provider's model, or for the model of every provider", () => {
    const { prices } = load(
      override(
        `{ provider: local, model: own-7b, ${PRICES} }`,
        `{ model: own-7b, prompt_usd_per_million: "0.000000000001", completion_usd_per_million: 1000000 }`,
        `{ model: gpt-5-mini, prompt_usd_per_million: 0, completion_usd_per_million: 1e-7 }`,
      ),
    );
    assert.equal(prices.override.length, 3);
  });

  const range = "must be a decimal number of USD, 0 to 1,000,000";
  const field = "prices.override[0].prompt_usd_per_million";
  const cases: readonly [behaviour: string, entries: readonly string[], problems: readonly string[]][] = [
    [
      "negative",
      ["{ model: own-7b, prompt_usd_per_million: -0.1, completion_usd_per_million: 2 }"],
      [`${field}: must be at least 0`],
    ],
    [
      "negative as text",
      ['{ model: own-7b, prompt_usd_per_million: "-1", completion_usd_per_million: 2 }'],
      [`${field}: ${range}`],
    ],
    [
      "not a number",
      ["{ model: own-7b, prompt_usd_per_million: .nan, completion_usd_per_million: 2 }"],
      [`${field}: ${range}`],
    ],
    [
      "infinite",
      ["{ model: own-7b, prompt_usd_per_million: .inf, completion_usd_per_million: 2 }"],
      [`${field}: ${range}`],
    ],
    [
      "too large",
      ["{ model: own-7b, prompt_usd_per_million: 1000000.5, completion_usd_per_million: 2 }"],
      [`${field}: must be at most 1000000`],
    ],
    [
      "too large as text",
      ['{ model: own-7b, prompt_usd_per_million: "1000001", completion_usd_per_million: 2 }'],
      [`${field}: ${range}`],
    ],
    [
      "words",
      ["{ model: own-7b, prompt_usd_per_million: cheap, completion_usd_per_million: 2 }"],
      [`${field}: ${range}`],
    ],
    [
      "a comma",
      ['{ model: own-7b, prompt_usd_per_million: "1,5", completion_usd_per_million: 2 }'],
      [`${field}: ${range}`],
    ],
    [
      "without an answer's price",
      ["{ model: own-7b, prompt_usd_per_million: 1 }"],
      ["prices.override[0].completion_usd_per_million: is required"],
    ],
    [
      "of an unknown key",
      [`{ model: own-7b, ${PRICES}, promt_usd_per_million: 1 }`],
      ["prices.override[0].promt_usd_per_million: there is no such key; the nearest is prompt_usd_per_million"],
    ],
    [
      "given twice",
      [`{ model: own-7b, ${PRICES} }`, `{ model: own-7b, ${PRICES} }`],
      ["prices.override[1]: this model has an override before"],
    ],
    [
      "of an unknown provider",
      [`{ provider: mein, model: own-7b, ${PRICES} }`],
      ["prices.override[0].provider: there is no such provider; the nearest is main"],
    ],
    [
      "of a model that nobody has",
      [`{ model: own-70b, ${PRICES} }`],
      ["prices.override[0].model: no model of the configuration is called this; the nearest is own-7b"],
    ],
    [
      "of another provider's model",
      [`{ provider: main, model: own-7b, ${PRICES} }`],
      ["prices.override[0].model: no model of the configuration is called this; the nearest is gpt-5-mini"],
    ],
    [
      "with a broken price of long prompts",
      [
        `{ model: own-7b, ${PRICES}, long_prompts: [ { above_prompt_tokens: 0, ${PRICES} }, { ${PRICES}, cache_write_usd_per_million: -1 } ] }`,
      ],
      [
        "prices.override[0].long_prompts[0].above_prompt_tokens: must be at least 1",
        "prices.override[0].long_prompts[1].above_prompt_tokens: is required",
        "prices.override[0].long_prompts[1].cache_write_usd_per_million: must be at least 0",
      ],
    ],
    [
      "with two prices of prompts of one length",
      [
        `{ model: own-7b, ${PRICES}, long_prompts: [ { above_prompt_tokens: 9, ${PRICES} }, { above_prompt_tokens: 9, ${PRICES} } ] }`,
      ],
      ["prices.override[0].long_prompts[1].above_prompt_tokens: has prices before"],
    ],
  ];
  for (const [behaviour, entries, problems] of cases) {
    it(`are refused with path and rule: ${behaviour}`, () => {
      assert.deepEqual(problemsOf(override(...entries)), problems);
    });
  }

  it("break as a typed error", () => {
    assert.throws(
      () => load(override(`{ model: own-70b, ${PRICES} }`)),
      (error) => error instanceof ConfigError && error.problems[0]?.rule === "reference",
    );
  });
});
