import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ListBudgetsRequestSchema, ListBudgetsResponseSchema } from "../../gen/sluice/v1/usage_service_pb.ts";
import { createBudgets } from "../../src/adapters/memory-budgets.ts";
import { budgetsText } from "../../src/cli/budgets.ts";
import type { BudgetRule, RateRule } from "../../src/core/budgets.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { silentLog } from "../../src/core/log.ts";
import { listBudgets } from "../../src/rpc/usage-service/list-budgets.ts";
import { fakeClock } from "../support/clock.ts";
import { testCall } from "../support/pipeline-ports.ts";

const money = { per: "day", soft: false, warnAt: 0.8, limitNanoUsd: 5_000_000_000n } as const;
const rules: readonly BudgetRule[] = [
  { ...money, scope: "user" },
  { ...money, scope: "tenant", tenant: "globex", soft: true },
  { ...money, scope: "tenant", only: ["globex"] },
];
const rates: readonly RateRule[] = [{ scope: "key", unit: "tokens", perMinute: 1_000, tenant: "acme", only: ["k"] }];

async function spent() {
  const budgets = createBudgets({ budgets: rules, rates, clock: fakeClock(), log: silentLog, holdMs: 60_000 });
  const spend = async (tenant: string, user: string, cost: bigint) => {
    const attempt = { maxCostNanoUsd: cost, promptCostNanoUsd: 0n, tokens: 400, model: "fast" };
    const reservation = await budgets.reserve({ tenant, user, feature: "", keyId: "k" }, attempt);
    reservation.settle({ costNanoUsd: cost, tokens: 400 });
    return reservation;
  };
  await spend("acme", "u-1", 1_000_000_000n);
  await spend("acme", "", 2_500_000_000n);
  await spend("globex", "u-1", 500_000_000n);
  return budgets;
}

const ask = async (isAdmin: boolean, scope?: { tenant?: string; allTenants?: boolean }) => {
  const call = testCall({ caller: { tenant: "acme", keyId: "k", isAdmin } });
  const request = create(ListBudgetsRequestSchema, { scope });
  return create(ListBudgetsResponseSchema, await listBudgets({ budgets: await spent() }, call, request));
};

describe("UsageService.ListBudgets", () => {
  it("shows a tenant what concerns it, fullest first", async () => {
    const { budgets } = await ask(false);
    assert.deepEqual(
      budgets.map(({ unit, limit, only, buckets }) => [
        unit,
        limit,
        only,
        buckets.map(({ name, spent: s }) => [name, s]),
      ]),
      [
        [
          1,
          5_000_000_000n,
          [],
          [
            ["", 2_500_000_000n],
            ["u-1", 1_000_000_000n],
          ],
        ],
        [3, 1_000n, ["k"], [["k", 800n]]],
      ],
    );
    assert.equal(budgets[0]?.buckets[0]?.share, 0.5);
    assert.equal(budgets[0]?.buckets[0]?.resetTime?.seconds, BigInt(Date.UTC(2026, 0, 2) / 1000));
  });

  it("shows admins those of others, and nobody else", async () => {
    const { budgets } = await ask(true, { allTenants: true });
    assert.deepEqual(
      budgets.map(({ buckets }) => buckets.map(({ tenant, name }) => `${tenant}/${name}`)),
      [["acme/", "acme/u-1", "globex/u-1"], ["globex/globex"], ["globex/globex"], ["acme/k"]],
    );
    await assert.rejects(
      ask(false, { tenant: "globex" }),
      (error: unknown) => error instanceof SluiceError && error.failure.reason === "PERMISSION_DENIED",
    );
  });

  it("says whose they are and which key it takes", async () => {
    for (const scope of [{ tenant: "globex" }, { allTenants: true }]) {
      await assert.rejects(ask(false, scope), (error: unknown) => {
        assert.ok(error instanceof SluiceError && error.failure.reason === "PERMISSION_DENIED");
        assert.equal(
          error.failure.hint,
          "other tenants' budgets are only for keys with `admin: true` in `auth.api_keys`",
        );
        return true;
      });
    }
    assert.equal((await ask(false, { tenant: "acme" })).budgets.length, 2);
    await assert.rejects(
      ask(false, { tenant: "globex", allTenants: true }),
      (error: unknown) => error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST",
    );
  });

  it("says what may be missing", () => {
    const text = budgetsText(
      create(ListBudgetsResponseSchema, {
        budgets: [
          { scope: 2, period: 1, unit: 1, limit: 5_000_000_000n, partial: true },
          { scope: 4, period: 3, unit: 3, limit: 9n, partial: true, bucketCount: 2n },
          { scope: 4, period: 3, unit: 3, limit: 8n },
        ],
      }),
    );
    assert.deepEqual(
      text
        .split("\n")
        .map((line) => line.trim().replace(/ {2,}/g, " | "))
        .slice(1),
      [
        "each user a day | $5.00",
        "perhaps more: the ledger did not tell all, or names share a bucket",
        "each key a minute | 9 tokens",
        "and 2 more",
        "perhaps more, which other servers have met",
        "each key a minute | 8 tokens",
        "",
      ],
    );
  });

  it("is a table at the command line", async () => {
    const text = budgetsText(await ask(true, { tenant: "acme" }));
    assert.deepEqual(
      text.split("\n").map((line) => line.trim().replace(/ {2,}/g, " | ")),
      [
        "spent | held back | limit | used | resets",
        "each user a day | $5.00",
        "- acme/(none) | $2.50 | 50.0 % | 2026-01-02T00:00:00.000Z",
        "- acme/u-1 | $1.00 | 20.0 % | 2026-01-02T00:00:00.000Z",
        "each key a minute, of acme, only k | 1,000 tokens",
        "- acme/k | 800 tokens | 80.0 % | 2026-01-01T00:00:48.000Z",
        "",
      ],
    );
    assert.equal(budgetsText(create(ListBudgetsResponseSchema)), "no budgets or limits are configured\n");
  });
});
