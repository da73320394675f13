import assert from "node:assert/strict";
import type { SpentLedger } from "../../../src/core/budgets.ts";
import { attempt, budget, budgetsWith, payer, refusal, standing, standingClock } from "./fixture.ts";

/** Lets everything go on that waits for nothing but its turn. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

type Question = Parameters<SpentLedger["spentSince"]>;

/** A ledger that answers when the test says so. */
function slowLedger() {
  const asked: Question[] = [];
  const answers: ((spent: bigint | Error) => void)[] = [];
  const ledger: SpentLedger = {
    spentSince: (...question) => {
      asked.push(question);
      const { promise, resolve, reject } = Promise.withResolvers<bigint>();
      answers.push((spent) => (spent instanceof Error ? reject(spent) : resolve(spent)));
      return promise;
    },
  };
  return { ledger, asked, answers };
}

describe("what was spent before a process began", () => {
  it("is asked of the ledger at the first use of a bucket, and counts", async () => {
    const { ledger, asked, answers } = slowLedger();
    const clock = standingClock();
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger, clock });
    const call = refusal(budgets.reserve(payer, attempt(200)));
    await turn();
    assert.deepEqual(asked, [["acme", "user", "u-1", Date.UTC(2026, 0, 15), clock.nowMs()]]);
    answers[0]?.(900n);
    const failure = await call;
    assert.equal(failure.reason === "BUDGET_EXCEEDED" && failure.spentNanoUsd, 900n);
    // Once is enough.
    const reservation = await budgets.reserve(payer, attempt(100));
    reservation.settle({ costNanoUsd: 100n, tokens: 1 });
    assert.equal(asked.length, 1);
    assert.deepEqual(await standing(budgets), { spent: 1_000n, reserved: 0n });
    await budgets.close();
  });

  it("is waited for no longer than 50 ms, and counts when it comes", async () => {
    const { ledger, answers } = slowLedger();
    const clock = standingClock();
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger, clock });
    let reserved = false;
    const call = budgets.reserve(payer, attempt(200)).then(() => {
      reserved = true;
    });
    await turn();
    clock.advance(49);
    await turn();
    assert.equal(reserved, false);
    clock.advance(1);
    await call;
    answers[0]?.(900n);
    await turn();
    assert.deepEqual(await standing(budgets), { spent: 900n, reserved: 200n });
    await budgets.close();
  });

  it("is asked once more, for what was still on its way to the database", async () => {
    const { ledger, asked, answers } = slowLedger();
    const clock = standingClock();
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger, clock });
    const startMs = clock.nowMs();
    const call = budgets.reserve(payer, attempt(100));
    await turn();
    answers[0]?.(300n);
    (await call).settle({ costNanoUsd: 100n, tokens: 1 });
    clock.advance(15_000);
    await turn();
    assert.equal(asked[1]?.[4], startMs);
    answers[1]?.(350n);
    await turn();
    assert.deepEqual(await standing(budgets), { spent: 450n, reserved: 0n });
    await budgets.close();
  });

  it("is asked again while the database is away, and no call fails for it", async () => {
    const { ledger, asked, answers } = slowLedger();
    const clock = standingClock();
    const { budgets, events } = budgetsWith({ budgets: [budget()] }, { ledger, clock });
    const call = budgets.reserve(payer, attempt(100));
    await turn();
    answers[0]?.(new Error("away"));
    await turn();
    clock.advance(1_000);
    await call;
    await turn();
    assert.equal(asked.length, 2);
    for (let tries = 1; tries < 8; tries++) {
      answers[tries]?.(new Error("away"));
      await turn();
      clock.advance(30_000);
      await turn();
    }
    answers[8]?.(500n);
    await turn();
    assert.equal((await standing(budgets)).spent, 500n);
    assert.deepEqual(events().filter((event) => event === "budget_seeding_fails").length, 1);
    await budgets.close();
  });

  it("is asked of two buckets at a time", async () => {
    const { ledger, asked, answers } = slowLedger();
    const clock = standingClock();
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger, clock });
    const calls = ["a", "b", "c"].map((user) => budgets.reserve({ ...payer, user }, attempt(1)));
    await turn();
    assert.deepEqual(
      asked.map(([, , name]) => name),
      ["a", "b"],
    );
    answers[0]?.(0n);
    await turn();
    assert.deepEqual(
      asked.map(([, , name]) => name),
      ["a", "b", "c"],
    );
    clock.advance(50);
    await Promise.all(calls);
    await budgets.close();
  });
});
