import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
      "budgets[1].warn_at: must be a share from 0.01 to 1: 0.8 is 80 %",
      "budgets[2].tenant: must be 1 to 64 lower-case letters, digits, hyphens or underscores",
      "rate_limits[1].requests_per_minute: must be at least 1",
      "budgets[4]: another entry has the same scope, per, soft, tenant, only",
      "rate_limits[3]: another entry has the same scope, tenant, only",
      "rate_limits[0]: needs requests_per_minute, tokens_per_minute or both",
    ]);
  });

  const keys = (...lines: readonly string[]) =>
    `auth: { api_keys: [${lines.map((line, index) => `{ ${line}, sha256: "${String(index).repeat(64)}" }`).join(", ")}] }`;
  const twoKeys = keys("id: billing, tenant: acme", "id: search, tenant: globex");

  it("of keys and tenants that nobody has are told, with the nearest that somebody has", () => {
    const file = `
budgets:
  - { scope: key, per: day, limit_usd: 1, only: [billing, serach] }
  - { scope: user, per: day, limit_usd: 1, tenant: acne }
  - { scope: key, per: day, limit_usd: 1, tenant: acme, only: [search] }
  - { scope: tenant, per: day, limit_usd: 1, only: [globexx] }
  - { scope: user, per: day, limit_usd: 1, only: [anybody] }
rate_limits:
  - { scope: key, requests_per_minute: 1, only: [biling] }
  - { scope: feature, requests_per_minute: 1, tenant: globx }
`;
    assert.deepEqual(problemsOf(`${file}${twoKeys}`), [
      "budgets[0].only[1]: there is no such key in auth.api_keys; the nearest is search",
      "budgets[1].tenant: no key of auth.api_keys has this tenant; the nearest is acme",
      "budgets[2].only[0]: there is no such key in auth.api_keys of this tenant; the nearest is billing",
      "budgets[3].only[0]: no key of auth.api_keys has this tenant; the nearest is globex",
      "rate_limits[0].only[0]: there is no such key in auth.api_keys; the nearest is billing",
      "rate_limits[1].tenant: no key of auth.api_keys has this tenant; the nearest is globex",
    ]);
  });

  it("may name any tenant where no keys are configured, but no key", () => {
    assert.equal(load(budgets("{ scope: user, per: day, limit_usd: 1, tenant: acme }")).budgets.length, 1);
    assert.deepEqual(problemsOf(budgets("{ scope: key, per: day, limit_usd: 1, only: [billing] }")), [
      "budgets[0].only[0]: there is no such key in auth.api_keys",
    ]);
  });

  it("may warn early and refuse late: a soft and a hard one of the same scope and period", () => {
    const [hard, soft] = ["limit_usd: 5", "limit_usd: 4, soft: true"].map(
      (rest) => `{ scope: user, per: day, ${rest} }`,
    );
    assert.equal(load(budgets(String(hard), String(soft))).budgets.length, 2);
    const again = "{ scope: user, per: day, limit_usd: 3, soft: false }";
    assert.deepEqual(problemsOf(budgets(String(hard), String(soft), again)), [
      "budgets[2]: another entry has the same scope, per, soft, tenant, only",
    ]);
  });

  it("are in docs/budgets.md as they can be tried", () => {
    const [, yaml = ""] = /^```yaml\n([\s\S]*?)^```$/m.exec(readFileSync("docs/budgets.md", "utf8")) ?? [];
    const {
      budgets: [only],
      prices,
    } = load(yaml);
    assert.deepEqual([only?.scope, only?.limit_usd], ["user", 1]);
    assert.deepEqual(
      prices.override.map(({ model }) => model),
      ["sandbox/extract"],
    );
  });

  it("warn at a share, not a percentage", () => {
    assert.deepEqual(problemsOf(budgets("{ scope: user, per: day, limit_usd: 5, warn_at: 80 }")), [
      "budgets[0].warn_at: must be a share from 0.01 to 1: 0.8 is 80 %",
    ]);
    assert.equal(load(budgets("{ scope: user, per: day, limit_usd: 5, warn_at: 1 }")).budgets[0]?.warn_at, 1);
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
