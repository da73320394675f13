import assert from "node:assert/strict";
import { ConfigError } from "../../src/config.ts";
import { useConfigFile } from "./config-file.ts";

describe("budgets in the configuration", () => {
  const { load, problemsOf } = useConfigFile();
  const budgets = (...entries: readonly string[]) => `budgets: [ ${entries.join(", ")} ]`;

  it("have defaults for what is not said", () => {
    const config = load(
      `${budgets("{ scope: user, per: day, limit_usd: 5 }")}\nrate_limits: [{ scope: key, tokens_per_minute: 9 }]`,
    );
    assert.deepEqual(config.budgets, [{ scope: "user", per: "day", limit_usd: 5, soft: false, warn_at: 0.8 }]);
    assert.deepEqual(config.rate_limits, [{ scope: "key", tokens_per_minute: 9 }]);
    assert.deepEqual(load("").budgets, []);
  });

  for (const usd of ["0.000000001", "1e-9", '"0.000000001"', "9000000", '"8999999.999999999"', "0.1"]) {
    it(`may be ${usd} USD`, () =>
      assert.equal(load(budgets(`{ scope: key, per: day, limit_usd: ${usd} }`)).budgets.length, 1));
  }

  const range = "must be a decimal number of USD above 0, at most 9,000,000, with at most 9 decimals";
  for (const usd of [
    "0",
    "-1",
    '"0.0"',
    "1e-10",
    '"0.1234567891"',
    "9000000.5",
    '"9000000.1"',
    "cheap",
    '"1,5"',
    ".nan",
    ".inf",
  ]) {
    it(`may not be ${usd} USD`, () => {
      assert.deepEqual(problemsOf(budgets(`{ scope: key, per: day, limit_usd: ${usd} }`)), [
        `budgets[0].limit_usd: ${range}`,
      ]);
    });
  }

  it("tell everything that is wrong at once", () => {
    const file = `
budgets:
  - { scope: team, per: week, limit_usd: 1 }
  - { scope: user, per: day, limit_usd: 1, warn_at: 0, only: [] }
  - { scope: user, per: day, limit_usd: 1, tenant: A }
  - { scope: user, per: month, limit_usd: 1, only: [b, a] }
  - { scope: user, per: month, limit_usd: 2, only: [a, b] }
rate_limits:
  - { scope: key }
  - { scope: tenant, requests_per_minute: 0 }
  - { scope: user, tokens_per_minute: 5 }
  - { scope: user, requests_per_minute: 5 }
`;
    assert.deepEqual(problemsOf(file), [
      "budgets[0].scope: must be one of tenant, user, feature, key",
      "budgets[0].per: must be one of day, month",
      "budgets[1].only: must have at least 1 entries",
      "budgets[1].warn_at: must be at least 0.01",
      "budgets[2].tenant: must be 1 to 64 lower-case letters, digits, hyphens or underscores",
      "rate_limits[1].requests_per_minute: must be at least 1",
      "budgets[4]: another entry has the same scope, per, tenant, only",
      "rate_limits[3]: another entry has the same scope, tenant, only",
      "rate_limits[0]: needs requests_per_minute, tokens_per_minute or both",
    ]);
  });

  it("are at most 32", () => {
    const many = Array.from({ length: 33 }, (_, index) => `{ scope: user, per: day, limit_usd: 1, only: [u${index}] }`);
    assert.deepEqual(problemsOf(budgets(...many)), ["budgets: must have at most 32 entries"]);
  });

  it("of a key stand beside it", () => {
    const key = (limits: string) =>
      `auth: { api_keys: [{ id: a, tenant: acme, sha256: "${"0".repeat(64)}", ${limits} }] }`;
    assert.equal(
      load(key("requests_per_minute: 600, tokens_per_minute: 200000")).auth.api_keys[0]?.requests_per_minute,
      600,
    );
    assert.throws(() => load(key("requests_per_minute: 1.5")), ConfigError);
  });
});
