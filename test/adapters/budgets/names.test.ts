import assert from "node:assert/strict";
import type { SpentLedger } from "../../../src/core/budgets.ts";
import { attempt, budget, budgetsWith, isGranted, payer, refusal, standing } from "./fixture.ts";

const madeUp = (count: number, tenant = "flood") =>
  Array.from({ length: count }, (_, index) => ({ ...payer, tenant, user: `made-up-${index}` }));

/** Users of one tenant have spent 900 each, as all of it has. */
const ledger: SpentLedger = {
  spentSince: async (tenant, _scope, _fromMs, names) => names.map(() => (tenant === "acme" ? 900n : 0n)),
  topSpenders: async () => ({ spenders: [], count: 0 }),
};

describe("names that a tenant makes up", () => {
  const budgets_ = [budget(), budget({ scope: "tenant", limitNanoUsd: 100_000n })];

  it("crowd out nobody of another tenant, neither its budget nor those of its users", async () => {
    const acme = budget({ scope: "tenant", tenant: "acme" });
    const { budgets, lines } = budgetsWith({ budgets: [...budgets_, acme] }, { maxBuckets: 20, ledger });
    for (const each of madeUp(100)) await budgets.reserve(each, attempt(1));
    const told = lines.filter(({ event }) => event === "budget_names_overflow").map(({ fields }) => fields.tenant);
    assert.deepEqual(told, ["flood"]);
    for (const user of ["alice", "bob"]) {
      const failure = await refusal(budgets.reserve({ ...payer, user }, attempt(101)));
      assert.deepEqual(failure.reason === "BUDGET_EXCEEDED" && [failure.name, failure.spentNanoUsd], [user, 900n]);
    }
    await budgets.reserve(payer, attempt(100));
    const failure = await refusal(budgets.reserve({ ...payer, user: "carol" }, attempt(1)));
    assert.deepEqual(failure.reason === "BUDGET_EXCEEDED" && [failure.scope, failure.reservedNanoUsd], [
      "tenant",
      100n,
    ]);
    await budgets.close();
  });

  it("crowd out none of its own names of other budgets, nor what the configuration names", async () => {
    const others = [budget({ scope: "feature" }), budget({ scope: "key" }), budget({ only: ["vip"] })];
    const { budgets } = budgetsWith({ budgets: [...budgets_, ...others] }, { maxNames: 3 });
    const users = [...madeUp(10), { ...payer, tenant: "flood", user: "vip" }];
    for (const each of users) await budgets.reserve(each, attempt(1));
    const states = await budgets.states("flood");
    assert.deepEqual(
      states.map(({ buckets }) => buckets.map(({ name, isOverflow, reserved }) => [name, isOverflow, reserved])),
      [
        [...[0, 1, 2].map((index) => [`made-up-${index}`, false, 1n]), ["", true, 8n]],
        [["flood", false, 11n]],
        [["faq", false, 11n]],
        [["billing", false, 11n]],
        [["vip", false, 1n]],
      ],
    );
  });

  it("leave room for every tenant, of which none takes the last places", async () => {
    const { budgets } = budgetsWith({ budgets: [budget({ limitNanoUsd: 100_000n })] }, { maxBuckets: 4_000 });
    for (const tenant of ["one", "two", "three"]) {
      for (const each of madeUp(3_000, tenant)) await budgets.reserve(each, attempt(1));
    }
    const counts = await Promise.all(["one", "two", "three"].map(async (name) => (await budgets.states(name))[0]));
    // Each with one more that the rest share: half, half of what is left, and what every tenant has for sure.
    assert.deepEqual(
      counts.map((state) => state?.bucketCount),
      [2_001, 1_001, 1_001],
    );
  });

  it("take up no room once they are refused", async () => {
    for (const options of [{}, { ledger }]) {
      const { budgets, events } = budgetsWith({ budgets: budgets_ }, { maxNames: 5, ...options });
      for (const each of madeUp(100)) assert.equal(await isGranted(budgets.reserve(each, attempt(1_001))), false);
      for (const each of madeUp(5)) await budgets.reserve(each, attempt(600));
      assert.ok(!events().includes("budget_names_overflow"));
      // What was granted stays, whoever is refused.
      for (const each of madeUp(100).slice(5)) await isGranted(budgets.reserve(each, attempt(1_001)));
      for (const each of madeUp(5)) assert.equal(await isGranted(budgets.reserve(each, attempt(401))), false);
      await budgets.close();
    }
  });

  it("are not forgotten while a call of theirs is still being decided", async () => {
    const waiting = Promise.withResolvers<bigint[]>();
    const slow = { ...ledger, spentSince: (tenant: string) => (tenant === "flood" ? waiting.promise : [0n]) };
    const options = { maxNames: 1, ledger: slow as SpentLedger };
    const { budgets } = budgetsWith({ budgets: [budget({ limitNanoUsd: 1_000n })] }, options);
    const [mine, other] = madeUp(2);
    assert.ok(mine && other);
    const refused = refusal(budgets.reserve(mine, attempt(1_001)));
    const granted = budgets.reserve(mine, attempt(600));
    waiting.resolve([0n, 0n]);
    await refused;
    await granted;
    await isGranted(budgets.reserve(other, attempt(1_001)));
    assert.equal(await isGranted(budgets.reserve(mine, attempt(401))), false);
    assert.deepEqual(await standing(budgets, "flood"), { spent: 0n, reserved: 600n });
    await budgets.close();
  });
});
