import assert from "node:assert/strict";
import { isPayersOwn } from "../../../src/core/budgets.ts";
import { attempt, budget, budgetsWith, isGranted, payer, randomFrom, refusal, standing } from "./fixture.ts";

describe("budgets in one process", () => {
  it("let 10 of 200 concurrent attempts pass where there is money for 10", async () => {
    const { budgets } = budgetsWith({ budgets: [budget()] });
    const calls = Array.from({ length: 200 }, () => isGranted(budgets.reserve(payer, attempt(100))));
    const granted = (await Promise.all(calls)).filter(Boolean);
    assert.equal(granted.length, 10);
    assert.deepEqual(await standing(budgets), { spent: 0n, reserved: 1_000n });
  });

  it("say what stands in the way, and how long", async () => {
    const { budgets, clock } = budgetsWith({ budgets: [budget()] });
    const first = await budgets.reserve(payer, attempt(600));
    const resetAtMs = Date.UTC(2026, 0, 16);
    const shared = {
      reason: "BUDGET_EXCEEDED",
      scope: "user",
      name: "u-1",
      per: "day",
      limitNanoUsd: 1_000n,
      resetAtMs,
    };
    const held = await refusal(budgets.reserve(payer, attempt(500)));
    const money = { spentNanoUsd: 0n, reservedNanoUsd: 600n, requestedNanoUsd: 500n };
    assert.deepEqual(held, { ...shared, ...money, retryAfterMs: 1_000 });
    assert.ok(isPayersOwn(held));
    first.settle({ costNanoUsd: 600n, tokens: 1 });
    const spent = { spentNanoUsd: 600n, reservedNanoUsd: 0n, requestedNanoUsd: 500n };
    const retryAfterMs = resetAtMs - clock.nowMs();
    assert.deepEqual(await refusal(budgets.reserve(payer, attempt(500))), { ...shared, ...spent, retryAfterMs });
    // More than the whole budget: waiting does not help.
    const tooLarge = { spentNanoUsd: 600n, reservedNanoUsd: 0n, requestedNanoUsd: 1_001n };
    assert.deepEqual(await refusal(budgets.reserve(payer, attempt(1_001))), { ...shared, ...tooLarge });
    assert.ok(await isGranted(budgets.reserve(payer, attempt(400))));
  });

  it("count what an attempt really cost, also where that is more than was reserved", async () => {
    const { budgets } = budgetsWith({ budgets: [budget()] });
    const reservation = await budgets.reserve(payer, attempt(900));
    reservation.settle({ costNanoUsd: 1_200n, tokens: 1 });
    reservation.settle({ costNanoUsd: 5n, tokens: 1 });
    assert.deepEqual(await standing(budgets), { spent: 1_200n, reserved: 0n });
    assert.equal((await refusal(budgets.reserve(payer, attempt(1)))).reason, "BUDGET_EXCEEDED");
  });

  it("are kept apart by tenant, name and rule, and all that concern a call must have room", async () => {
    const { budgets } = budgetsWith({
      budgets: [
        budget(),
        budget({ scope: "tenant", limitNanoUsd: 1_500n, tenant: "acme" }),
        budget({ scope: "feature", limitNanoUsd: 10n, only: ["batch"] }),
      ],
    });
    assert.ok(await isGranted(budgets.reserve(payer, attempt(1_000))));
    const other = { ...payer, user: "u-2" };
    const refused = await refusal(budgets.reserve(other, attempt(501)));
    assert.equal(refused.reason === "BUDGET_EXCEEDED" && refused.scope, "tenant");
    // A refused attempt took nothing from the buckets that had room.
    assert.ok(await isGranted(budgets.reserve(other, attempt(500))));
    assert.ok(await isGranted(budgets.reserve({ ...payer, tenant: "globex" }, attempt(1_000))));
    const batch = await refusal(
      budgets.reserve({ ...payer, tenant: "globex", user: "u-3", feature: "batch" }, attempt(11)),
    );
    assert.equal(batch.reason === "BUDGET_EXCEEDED" && batch.name, "batch");
  });

  it("begin anew at midnight and at the end of the month, in UTC", async () => {
    const { budgets, clock } = budgetsWith({ budgets: [budget(), budget({ per: "month", limitNanoUsd: 2_500n })] });
    clock.setTo(Date.UTC(2026, 1, 27, 23, 59, 59, 999));
    const spend = async (cost: number) =>
      (await budgets.reserve(payer, attempt(cost))).settle({ costNanoUsd: BigInt(cost), tokens: 1 });
    await spend(1_000);
    assert.equal(await isGranted(budgets.reserve(payer, attempt(1))), false);
    clock.advance(1);
    await spend(1_000);
    const full = await refusal(budgets.reserve(payer, attempt(900)));
    assert.equal(full.reason === "BUDGET_EXCEEDED" && full.resetAtMs, Date.UTC(2026, 2, 1));
    clock.setTo(Date.UTC(2026, 2, 1) - 1);
    const month = await refusal(budgets.reserve(payer, attempt(600)));
    assert.deepEqual(month.reason === "BUDGET_EXCEEDED" && [month.per, month.retryAfterMs], ["day", 1]);
    clock.advance(1);
    await spend(1_000);
  });

  it("charge an attempt to the period in which it began", async () => {
    const { budgets, clock } = budgetsWith({ budgets: [budget()] });
    clock.setTo(Date.UTC(2026, 0, 31, 23, 59));
    const late = await budgets.reserve(payer, attempt(1_000));
    clock.advance(120_000);
    const today = await budgets.reserve(payer, attempt(400));
    late.settle({ costNanoUsd: 900n, tokens: 1 });
    today.settle({ costNanoUsd: 300n, tokens: 1 });
    assert.deepEqual(await standing(budgets), { spent: 300n, reserved: 0n });
    // A clock that is set back finds yesterday as it was.
    clock.setTo(Date.UTC(2026, 0, 31, 23, 59));
    assert.deepEqual(await standing(budgets), { spent: 900n, reserved: 0n });
  });

  it("refuse models of unknown price where they are hard, and count them where they are soft", async () => {
    const unpriced = attempt(0, { maxCostNanoUsd: undefined, promptCostNanoUsd: undefined, model: "own" });
    const hard = budgetsWith({ budgets: [budget()] });
    const failure = await refusal(hard.budgets.reserve(payer, unpriced));
    assert.ok(failure.reason === "BUDGET_EXCEEDED" && failure.unpricedModel === "own");
    assert.deepEqual([failure.requestedNanoUsd, failure.retryAfterMs], [undefined, undefined]);
    const soft = budgetsWith({ budgets: [budget({ soft: true })] });
    (await soft.budgets.reserve(payer, unpriced)).settle({ costNanoUsd: undefined, tokens: 5 });
    const [state] = await soft.budgets.states("acme");
    assert.deepEqual([state?.buckets[0]?.unpricedAttempts, state?.buckets[0]?.spent], [1, 0n]);
  });

  it("warn once when nearly spent, and once when exceeded softly", async () => {
    const { budgets, events, clock } = budgetsWith({ budgets: [budget({ soft: true })] });
    const spend = async (cost: bigint) =>
      (await budgets.reserve(payer, attempt(0))).settle({ costNanoUsd: cost, tokens: 1 });
    await spend(799n);
    assert.deepEqual(events(), ["budgets_in_process"]);
    await spend(1n);
    await spend(200n);
    assert.deepEqual(events(), ["budgets_in_process", "budget_nearly_spent"]);
    await spend(1n);
    await spend(1n);
    assert.deepEqual(events(), ["budgets_in_process", "budget_nearly_spent", "budget_exceeded_softly"]);
    clock.advance(86_400_000);
    await spend(1_001n);
    assert.equal(events().length, 5);
  });

  it("forget reservations that nobody ends, as the estimate of their prompts, and correct that if somebody does", async () => {
    const { budgets, clock } = budgetsWith({ budgets: [budget()] }, { holdMs: 60_000 });
    const lost = await budgets.reserve(payer, attempt(1_000));
    clock.advance(59_999);
    assert.equal(await isGranted(budgets.reserve(payer, attempt(1))), false);
    clock.advance(1);
    const next = await budgets.reserve(payer, attempt(900));
    assert.deepEqual(await standing(budgets), { spent: 100n, reserved: 900n });
    lost.settle({ costNanoUsd: 60n, tokens: 1 });
    next.settle({ costNanoUsd: 900n, tokens: 1 });
    assert.deepEqual(await standing(budgets), { spent: 960n, reserved: 0n });
  });

  it("are exact to the nano-USD over random histories", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = randomFrom(seed);
      const below = (n: number) => Math.floor(random() * n);
      const limit = 9_000_000_000_000_000n;
      const { budgets } = budgetsWith({ budgets: [budget({ limitNanoUsd: limit })] });
      let spent = 0n;
      const open: { cost: bigint; settle: (cost: bigint) => void }[] = [];
      for (let step = 0; step < 200; step++) {
        if (random() < 0.6) {
          const cost = Math.floor(random() * 3e14);
          const held = open.reduce((sum, one) => sum + one.cost, 0n);
          const fits = spent + held + BigInt(cost) <= limit;
          const reservation = await budgets.reserve(payer, attempt(cost)).catch(() => undefined);
          assert.equal(reservation !== undefined, fits, `seed ${seed}, step ${step}`);
          const settle = (actual: bigint) => reservation?.settle({ costNanoUsd: actual, tokens: 1 });
          if (reservation) open.push({ cost: BigInt(cost), settle });
        } else if (open.length > 0) {
          const [one] = open.splice(below(open.length), 1);
          const actual = (one?.cost ?? 0n) - BigInt(below(1_000_000));
          const charged = actual < 0n ? 0n : actual;
          one?.settle(charged);
          spent += charged;
        }
        const held = open.reduce((sum, one) => sum + one.cost, 0n);
        assert.deepEqual(await standing(budgets), { spent, reserved: held }, `seed ${seed}, step ${step}`);
      }
    }
  });

  it("have at most so many buckets: later names share one, and nothing is ever forgotten for room", async () => {
    const { budgets, events } = budgetsWith({ budgets: [budget()] }, { maxBuckets: 3 });
    const spend = async (user: string, cost: number) =>
      (await budgets.reserve({ ...payer, user }, attempt(cost))).settle({ costNanoUsd: BigInt(cost), tokens: 1 });
    for (const user of ["a", "b", "c", "d", "e"]) await spend(user, 400);
    const [state] = await budgets.states("acme");
    assert.equal(state?.bucketCount, 4);
    assert.deepEqual(state?.buckets[0], { ...state?.buckets[0], name: "", isOverflow: true, spent: 800n });
    assert.equal(await isGranted(budgets.reserve({ ...payer, user: "f" }, attempt(201))), false);
    await spend("a", 600);
    assert.equal(await isGranted(budgets.reserve({ ...payer, user: "a" }, attempt(1))), false);
    assert.equal(events().filter((event) => event === "budget_names_overflow").length, 1);
  });
});
