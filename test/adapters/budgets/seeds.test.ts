import assert from "node:assert/strict";
import type { SpentLedger } from "../../../src/core/budgets.ts";
import { attempt, budget, budgetsWith, isGranted, payer, refusal, standing, standingClock } from "./fixture.ts";

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
      return promise.then((spent) => question[3].map(() => spent));
    },
    topSpenders: async () => ({ spenders: [], count: 0 }),
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
    assert.deepEqual(asked, [["acme", "user", Date.UTC(2026, 0, 15), [{ name: "u-1", toMs: clock.nowMs() }]]]);
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
    assert.equal(asked[1]?.[3][0]?.toMs, startMs);
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

  it("is asked of all buckets of a tenant at once, and of two tenants at a time", async () => {
    const { ledger, asked, answers } = slowLedger();
    const clock = standingClock();
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger, clock });
    const spend = (tenant: string, user: string) =>
      isGranted(budgets.reserve({ ...payer, tenant, user }, attempt(500)));
    const users = Array.from({ length: 500 }, (_, index) => `u-${index}`);
    const calls = [...users.map((user) => spend("acme", user)), spend("globex", "a"), spend("initech", "a")];
    await turn();
    const names = () => asked.map(([tenant, , , all]) => [tenant, all.length]);
    assert.deepEqual(names(), [
      ["acme", 500],
      ["globex", 1],
    ]);
    answers[0]?.(999n);
    await turn();
    assert.deepEqual(names().slice(2), [["initech", 1]]);
    answers[1]?.(999n);
    answers[2]?.(999n);
    assert.deepEqual(new Set(await Promise.all(calls)), new Set([false]));
    await budgets.close();
  });

  it("is asked of at most 1,000 names in one question, and tenants take turns", async () => {
    const { ledger, asked } = slowLedger();
    const clock = standingClock();
    const { budgets } = budgetsWith({ budgets: [budget()] }, { ledger, clock });
    const users = Array.from({ length: 2_500 }, (_, index) => ({ ...payer, user: `u-${index}` }));
    const calls = [...users, { ...payer, tenant: "globex" }].map((who) => budgets.reserve(who, attempt(1)));
    await turn();
    assert.deepEqual(
      asked.map(([tenant, , , names]) => [tenant, names.length]),
      [
        ["acme", 1_000],
        ["globex", 1],
      ],
    );
    clock.advance(50);
    await Promise.all(calls);
    await budgets.close();
  });
});
