import assert from "node:assert/strict";
import type { Budgets, Spenders, SpendersQuestion, SpentLedger } from "../../../src/core/budgets.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import { attempt, budget, budgetsWith, payer, standingClock } from "./fixture.ts";

/** Lets everything go on that waits for nothing but its turn. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A ledger of what each user of acme spent before; `away` makes it fail. */
function ledgerOf(spent: Readonly<Record<string, bigint>>) {
  const asked: SpendersQuestion[] = [];
  const state = { isAway: false };
  const unavailable = { reason: "STORE_UNAVAILABLE", resource: "postgres", limit: 0, retryAfterMs: 1_000 } as const;
  const ledger: SpentLedger = {
    async spentSince(_tenant, _scope, _fromMs, names) {
      if (state.isAway) throw new SluiceError(unavailable);
      return names.map(({ name }) => spent[name] ?? 0n);
    },
    async topSpenders(question): Promise<Spenders> {
      asked.push(question);
      if (state.isAway) throw new SluiceError(unavailable);
      const names = Object.entries(spent).filter(([name]) => question.names?.includes(name) ?? true);
      const spenders = names.map(([name, nanoUsd]) => ({ tenant: "acme", name, nanoUsd }));
      return { spenders: spenders.slice(0, question.limit), count: names.length };
    },
  };
  return { ledger, asked, state };
}

async function shown(budgets: Budgets, { tenant }: { readonly tenant?: string } = { tenant: "acme" }) {
  const states = await budgets.states(tenant);
  return states.map(({ buckets, bucketCount, isPartial }) => ({
    buckets: buckets.map(({ name, spent, reserved }) => [name, spent, reserved]),
    bucketCount,
    isPartial,
  }));
}

describe("budgets that are looked at after a restart", () => {
  it("show what the ledger knows of buckets that nobody has met, without keeping or warning", async () => {
    const { ledger, asked } = ledgerOf({ "u-2": 1_100n, "u-1": 300n });
    const { budgets, events, clock } = budgetsWith({ budgets: [budget({ soft: true })] }, { ledger });
    const expected = [
      {
        buckets: [
          ["u-2", 1_100n, 0n],
          ["u-1", 300n, 0n],
        ],
        bucketCount: 2,
        isPartial: false,
      },
    ];
    assert.deepEqual(await shown(budgets), expected);
    assert.deepEqual(await shown(budgets), expected);
    assert.deepEqual(asked[0], {
      ...{ scope: "user", tenant: "acme", fromMs: Date.UTC(2026, 0, 15), toMs: clock.nowMs(), limit: 100 },
    });
    assert.deepEqual(events(), ["budgets_in_process"]);
  });

  it("show a bucket that was met once, with what was spent before and since", async () => {
    const { ledger } = ledgerOf({ "u-1": 300n, "u-2": 100n });
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger });
    (await budgets.reserve(payer, attempt(50))).settle({ costNanoUsd: 50n, tokens: 1 });
    const [state] = await shown(budgets);
    assert.deepEqual(state, {
      buckets: [
        ["u-1", 350n, 0n],
        ["u-2", 100n, 0n],
      ],
      bucketCount: 2,
      isPartial: false,
    });
  });

  it("do not add the ledger's word to what it may hold a part of", async () => {
    const { ledger, state } = ledgerOf({ "u-1": 340n });
    const clock = standingClock();
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger, clock });
    state.isAway = true;
    const call = budgets.reserve(payer, attempt(40));
    await turn();
    clock.advance(50);
    (await call).settle({ costNanoUsd: 40n, tokens: 1 });
    state.isAway = false;
    assert.deepEqual((await shown(budgets))[0]?.buckets, [["u-1", 340n, 0n]]);
    await budgets.close();
  });

  it("show what was met, and say so, while the ledger does not answer", async () => {
    const { ledger, state } = ledgerOf({ "u-1": 300n, "u-2": 100n });
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger });
    await budgets.reserve(payer, attempt(50));
    state.isAway = true;
    assert.deepEqual(await shown(budgets), [{ buckets: [["u-1", 300n, 50n]], bucketCount: 1, isPartial: true }]);
  });

  it("wait two seconds for a ledger that is slow, over all rules", async () => {
    const clock = standingClock();
    const ledger: SpentLedger = { spentSince: async () => [], topSpenders: () => new Promise(() => {}) };
    const { budgets } = budgetsWith({ budgets: [budget(), budget({ per: "month" })] }, { ledger, clock });
    let isShown = false;
    const answer = shown(budgets).then((states) => {
      isShown = true;
      return states;
    });
    clock.advance(1_999);
    await turn();
    assert.equal(isShown, false);
    clock.advance(1);
    assert.deepEqual(
      (await answer).map(({ isPartial }) => isPartial),
      [true, true],
    );
  });

  it("ask for the names and the tenant of a rule, and show at most 100 but count all", async () => {
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`u-${index}`, BigInt(1_000 - index)]));
    const { ledger, asked } = ledgerOf(many);
    const rules = [budget(), budget({ only: ["u-7"], tenant: "acme" }), budget({ tenant: "globex" })];
    const { budgets } = budgetsWith({ budgets: rules }, { ledger });
    const [all, one] = await shown(budgets);
    assert.deepEqual([all?.buckets.length, all?.bucketCount], [100, 150]);
    assert.deepEqual(one?.buckets, [["u-7", 993n, 0n]]);
    // That of another tenant is nobody's business.
    assert.equal(asked.length, 2);
    await shown(budgets, {});
    assert.deepEqual(
      asked.slice(2).map(({ tenant, names }) => [tenant, names]),
      [
        [undefined, undefined],
        ["acme", ["u-7"]],
        ["globex", undefined],
      ],
    );
  });

  it("leave out names that share a bucket, which holds a part of what they spent, and say so", async () => {
    const { ledger } = ledgerOf({ a: 10n, b: 20n, c: 30n });
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger, maxBuckets: 1 });
    for (const user of ["a", "b"]) {
      (await budgets.reserve({ ...payer, user }, attempt(5))).settle({ costNanoUsd: 5n, tokens: 1 });
    }
    const [state] = await shown(budgets);
    assert.deepEqual(state?.buckets, [
      ["a", 15n, 0n],
      ["", 5n, 0n],
    ]);
    assert.equal(state?.isPartial, true);
  });
});
