import assert from "node:assert/strict";
import { RateLimitScope } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { RateRule } from "../../../src/core/budgets.ts";
import { attempt, budgetsWith, isGranted, payer, randomFrom, refusal } from "./fixture.ts";

const rate = (fields: Partial<RateRule> = {}): RateRule => ({
  scope: "key",
  unit: "requests",
  perMinute: 60,
  ...fields,
});

describe("limits per minute in one process", () => {
  it("let a minute's worth pass at once, then one each time there is room, and tell the exact wait", async () => {
    const { budgets, clock } = budgetsWith({ rates: [rate()] });
    const calls = Array.from({ length: 200 }, () => isGranted(budgets.admit(payer)));
    assert.equal((await Promise.all(calls)).filter(Boolean).length, 60);
    const failure = await refusal(budgets.admit(payer));
    assert.deepEqual(failure, {
      ...{ reason: "RATE_LIMITED", scope: RateLimitScope.CALLER, provider: "", model: "", unit: "requests" },
      ...{ limit: 60, caller: { scope: "key", name: "billing" }, retryAfterMs: 1_000 },
    });
    clock.advance(999);
    assert.equal(await isGranted(budgets.admit(payer)), false);
    clock.advance(1);
    assert.ok(await isGranted(budgets.admit(payer)));
    assert.ok(await isGranted(budgets.admit({ ...payer, keyId: "search" })));
  });

  it("behave as a simulation that drips token by token", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = randomFrom(seed);
      const perMinute = 1 + Math.floor(random() * 500);
      const { budgets, clock } = budgetsWith({ rates: [rate({ unit: "tokens", perMinute })] });
      // In 60,000ths of a token.
      let free = perMinute * 60_000;
      for (let step = 0; step < 300; step++) {
        const ms = Math.floor(random() * 2_000);
        clock.advance(ms);
        for (let drip = 0; drip < ms; drip++) free = Math.min(free + perMinute, perMinute * 60_000);
        const tokens = 1 + Math.floor(random() * Math.min(perMinute, 40));
        const missing = tokens * 60_000 - free;
        const call = budgets.reserve(payer, attempt(0, { tokens }));
        if (missing <= 0) {
          await call;
          free -= tokens * 60_000;
        } else {
          const failure = await refusal(call);
          const expected = Math.ceil(missing / perMinute);
          assert.equal(
            failure.reason === "RATE_LIMITED" && failure.retryAfterMs,
            expected,
            `seed ${seed}, step ${step}`,
          );
        }
      }
    }
  });

  it("are corrected by the tokens that were used", async () => {
    const { budgets, clock } = budgetsWith({ rates: [rate({ unit: "tokens", perMinute: 1_000 })] });
    const one = await budgets.reserve(payer, attempt(0, { tokens: 1_000 }));
    assert.equal(await isGranted(budgets.reserve(payer, attempt(0, { tokens: 1 }))), false);
    one.settle({ costNanoUsd: 0n, tokens: 300 });
    const two = await budgets.reserve(payer, attempt(0, { tokens: 700 }));
    // More than was reserved: others wait for it.
    two.settle({ costNanoUsd: 0n, tokens: 1_700 });
    const failure = await refusal(budgets.reserve(payer, attempt(0, { tokens: 1 })));
    assert.equal(failure.reason === "RATE_LIMITED" && failure.retryAfterMs, 60_060);
    clock.advance(60_060);
    const late = await budgets.reserve(payer, attempt(0, { tokens: 1 }));
    // After a minute what was reserved has flowed off, and is not given back a second time.
    clock.advance(60_000);
    await budgets.reserve(payer, attempt(0, { tokens: 1_000 }));
    late.settle({ costNanoUsd: 0n, tokens: 0 });
    assert.equal(await isGranted(budgets.reserve(payer, attempt(0, { tokens: 1 }))), false);
  });

  it("refuse what is larger than a minute for good", async () => {
    const { budgets } = budgetsWith({ rates: [rate({ unit: "tokens", perMinute: 1_000 })] });
    const failure = await refusal(budgets.reserve(payer, attempt(0, { tokens: 1_001 })));
    assert.deepEqual(failure, {
      ...{ reason: "REQUEST_EXCEEDS_RATE_WINDOW", scope: RateLimitScope.CALLER, provider: "", model: "fast" },
      ...{ unit: "tokens", limit: 1_000, caller: { scope: "key", name: "billing" }, requested: 1_001 },
    });
  });

  it("are shown by what is used, as full as that says, and not at all once they are empty", async () => {
    const { budgets, clock } = budgetsWith({ rates: [rate({ perMinute: 3 })] });
    for (let call = 0; call < 3; call++) await budgets.admit(payer);
    clock.advance(10_000);
    const [state] = await budgets.states("acme");
    assert.deepEqual(
      state?.buckets.map(({ spent, share }) => [spent, share]),
      // Two and a half are left: there is no room for another one.
      [[3n, 1]],
    );
    clock.advance(50_000);
    const [later] = await budgets.states("acme");
    assert.deepEqual([later?.buckets, later?.bucketCount, later?.isPartial], [[], 0, false]);
  });

  it("forget buckets that are empty again where there is no room for another", async () => {
    const { budgets, clock, events } = budgetsWith({ rates: [rate()] }, { maxBuckets: 2 });
    for (const keyId of ["a", "b"]) await budgets.admit({ ...payer, keyId });
    clock.advance(60_000);
    for (const keyId of ["c", "d"]) await budgets.admit({ ...payer, keyId });
    assert.equal((await budgets.states(undefined))[0]?.bucketCount, 2);
    assert.deepEqual(events(), ["budgets_in_process"]);
  });
});
