import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { type BudgetsOptions, createBudgets } from "../../../src/adapters/memory-budgets.ts";
import { createRedisBudgets } from "../../../src/adapters/redis-budgets.ts";
import type { BudgetRule, Budgets, RateRule } from "../../../src/core/budgets.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { startChild } from "../../support/child.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { tier } from "../../support/tiers.ts";
import { attempt, budget, isGranted, payer, randomFrom, recordingLog, refusal, standing } from "./fixture.ts";

const until = async (isTrue: () => boolean | Promise<boolean>) => {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
};

tier("redis", (redis) => {
  describe("budgets in Redis", function () {
    this.timeout(30_000);
    let server: RedisServer;
    let proxy: TcpProxy;
    let admin: Redis;
    const opened: { close(): Promise<void> }[] = [];

    before(async () => {
      server = await redis.start();
      proxy = await startTcpProxy(server.port);
      admin = new Redis(server.url);
    });
    beforeEach(() => admin.flushall());
    afterEach(async () => {
      proxy.resume();
      await Promise.all(opened.splice(0).map((budgets) => budgets.close()));
    });
    after(async () => {
      admin.disconnect();
      await proxy.close();
      await server.stop();
    });

    /** The budgets of one more process, connected. */
    async function open(
      rules: { budgets?: readonly BudgetRule[]; rates?: readonly RateRule[] },
      options: Partial<BudgetsOptions> & { timeoutMs?: number; maxNames?: number; url?: string } = {},
    ) {
      const { timeoutMs = 2_000, url = server.url, maxNames, holdMs = 60_000, ...rest } = options;
      const { log, ...recorded } = recordingLog();
      const ports = { clock: systemClock, log, holdMs };
      const shared = createRedisBudgets({ url, timeoutMs, ...(maxNames && { maxNames }), ...ports });
      const budgets = createBudgets({ budgets: [], rates: [], ...rules, shared, ...ports, ...rest });
      opened.push(budgets);
      await until(async () => (await shared.look("acme", [])) !== undefined);
      return { budgets, ...recorded };
    }

    const tries = (budgets: Budgets, times: number, cost: number) =>
      Promise.all(Array.from({ length: times }, () => budgets.reserve(payer, attempt(cost)).catch(() => undefined)));

    const through = () => `redis://127.0.0.1:${proxy.port}`;

    it("let 10 of 400 concurrent attempts of two processes pass where there is money for 10", async () => {
      const script = fileURLToPath(new URL("spender.ts", import.meta.url));
      const children = await Promise.all([0, 1].map(() => startChild(process.execPath, [script, server.url])));
      try {
        const granted = await Promise.all(
          children.map((child) => child.line((line) => /^granted (\d+)$/.exec(line)?.[1])),
        );
        assert.equal(Number(granted[0]) + Number(granted[1]), 10);
      } finally {
        await Promise.all(children.map((child) => child.stop("SIGKILL")));
      }
      // They died with their reservations, which are still held.
      const { budgets } = await open({ budgets: [budget()] });
      const failure = await refusal(budgets.reserve(payer, attempt(100)));
      assert.equal(failure.reason === "BUDGET_EXCEEDED" && failure.reservedNanoUsd, 1_000n);
    });

    it("see at once what other processes spent, and say so", async () => {
      const [one, two] = [await open({ budgets: [budget()] }), await open({ budgets: [budget()] })];
      const reservation = await one.budgets.reserve(payer, attempt(900));
      const held = await refusal(two.budgets.reserve(payer, attempt(200)));
      assert.deepEqual(held.reason === "BUDGET_EXCEEDED" && [held.reservedNanoUsd, held.retryAfterMs], [900n, 1_000]);
      reservation.settle({ costNanoUsd: 850n, tokens: 1 });
      await until(async () => (await standing(two.budgets)).spent === 850n);
      const spent = await refusal(two.budgets.reserve(payer, attempt(200)));
      assert.deepEqual(spent.reason === "BUDGET_EXCEEDED" && [spent.spentNanoUsd, spent.reservedNanoUsd], [850n, 0n]);
      assert.ok(await isGranted(two.budgets.reserve(payer, attempt(150))));
    });

    it("count a crashed process's reservations as their estimates once they are too old", async () => {
      const crashed = await open({ budgets: [budget()] }, { holdMs: 150 });
      await crashed.budgets.reserve(payer, attempt(1_000));
      const { budgets } = await open({ budgets: [budget()] });
      assert.equal(await isGranted(budgets.reserve(payer, attempt(900))), false);
      await until(() => isGranted(budgets.reserve(payer, attempt(900))));
      assert.deepEqual(await standing(budgets), { spent: 100n, reserved: 900n });
    });

    it("correct what was counted as its estimate, when its end comes late", async () => {
      const { budgets } = await open({ budgets: [budget()] }, { holdMs: 100 });
      const late = await budgets.reserve(payer, attempt(1_000));
      await until(() => isGranted(budgets.reserve(payer, attempt(0))));
      await new Promise((resolve) => setTimeout(resolve, 150));
      await budgets.reserve(payer, attempt(0));
      late.settle({ costNanoUsd: 730n, tokens: 1 });
      await until(async () => (await standing(budgets)).spent === 730n);
      assert.equal((await standing(budgets)).reserved, 0n);
    });

    it("are exact to the nano-USD over random histories of three processes", async () => {
      const limitNanoUsd = 9_000_000_000_000_000n;
      const processes = await Promise.all([0, 1, 2].map(() => open({ budgets: [budget({ limitNanoUsd })] })));
      const random = randomFrom(7);
      let [spent, held] = [0n, 0n];
      const open_: { cost: bigint; settle: (cost: bigint) => void }[] = [];
      for (let step = 0; step < 400; step++) {
        const { budgets } = processes[Math.floor(random() * 3)] ?? assert.fail();
        if (random() < 0.6) {
          const cost = BigInt(Math.floor(random() * 3e14));
          const reservation = await budgets.reserve(payer, attempt(Number(cost))).catch(() => undefined);
          if (reservation)
            open_.push({ cost, settle: (actual) => reservation.settle({ costNanoUsd: actual, tokens: 1 }) });
          if (reservation) held += cost;
          // What was settled may still be on its way, and is counted as reserved until then.
          assert.ok(reservation || spent + held + cost > 8_000_000_000_000_000n, `step ${step}`);
        } else {
          const [one] = open_.splice(Math.floor(random() * open_.length), 1);
          const actual = one ? one.cost - one.cost / 3n : 0n;
          one?.settle(actual);
          spent += actual;
          held -= one?.cost ?? 0n;
        }
        assert.ok(spent + held <= limitNanoUsd);
      }
      for (const { budgets } of processes) {
        await until(async () => {
          const now = await standing(budgets);
          return now.spent === spent && now.reserved === held;
        });
      }
    });

    it("share limits per minute", async () => {
      const rates: RateRule[] = [
        { scope: "key", unit: "requests", perMinute: 10 },
        { scope: "tenant", unit: "tokens", perMinute: 1_000 },
      ];
      const [one, two] = [await open({ rates }), await open({ rates })];
      const calls = await Promise.all(
        Array.from({ length: 100 }, (_, index) => isGranted((index % 2 ? one : two).budgets.admit(payer))),
      );
      assert.equal(calls.filter(Boolean).length, 10);
      const failure = await refusal(one.budgets.admit(payer));
      const waitMs = failure.reason === "RATE_LIMITED" ? (failure.retryAfterMs ?? 0) : 0;
      assert.ok(waitMs > 0 && waitMs <= 6_000, `${waitMs}`);
      const reservation = await one.budgets.reserve(payer, attempt(0, { tokens: 1_000 }));
      assert.equal(await isGranted(two.budgets.reserve(payer, attempt(0, { tokens: 900 }))), false);
      reservation.settle({ costNanoUsd: 0n, tokens: 10 });
      await until(() => isGranted(two.budgets.reserve(payer, attempt(0, { tokens: 900 }))));
    });

    it("begin with what the ledger says, once for all processes, and take its late word too", async () => {
      const answers: ((spent: bigint) => void)[] = [];
      const ledger = {
        spentSince: () => {
          const { promise, resolve } = Promise.withResolvers<bigint>();
          answers.push(resolve);
          return promise.then((spent) => [spent]);
        },
        topSpenders: async () => ({ spenders: [], count: 0 }),
      };
      const one = await open({ budgets: [budget()] }, { ledger });
      const first = one.budgets.reserve(payer, attempt(100));
      await until(() => answers.length === 1);
      answers[0]?.(700n);
      (await first).settle({ costNanoUsd: 100n, tokens: 1 });
      await until(async () => (await standing(one.budgets)).spent === 800n);
      // Who made the bucket asks what was spent before that moment.
      await until(() => answers.length === 2);
      answers[1]?.(750n);
      await until(async () => (await standing(one.budgets)).spent === 850n);
      const two = await open({ budgets: [budget()] }, { ledger });
      assert.equal(await isGranted(two.budgets.reserve(payer, attempt(151))), false);
      assert.ok(await isGranted(two.budgets.reserve(payer, attempt(150))));
      assert.equal(answers.length, 2);
    });

    it("are shown by a process that has met nothing as Redis has them, where the ledger knows who to ask for", async () => {
      const spent = [
        { tenant: "acme", name: "u-1", nanoUsd: 250n },
        { tenant: "acme", name: "u-2", nanoUsd: 40n },
      ];
      const ledger = { spentSince: async () => [200n], topSpenders: async () => ({ spenders: spent, count: 2 }) };
      const rules = { budgets: [budget()], rates: [{ scope: "key", unit: "tokens", perMinute: 1_000 } as const] };
      const [one, two] = [await open(rules, { ledger }), await open(rules, { ledger })];
      const reservation = await one.budgets.reserve(payer, attempt(100));
      await one.budgets.reserve(payer, attempt(30));
      reservation.settle({ costNanoUsd: 90n, tokens: 1 });
      const shown = async () => {
        const [state, limit] = await two.budgets.states("acme");
        // Nothing tells this process which keys others have met.
        assert.deepEqual([state?.isPartial, limit?.isPartial, limit?.buckets], [false, true, []]);
        return state?.buckets.map((bucket) => [bucket.name, bucket.spent, bucket.reserved]);
      };
      await until(async () => (await shown())?.[0]?.[1] === 290n);
      assert.deepEqual(await shown(), [
        ["u-1", 290n, 30n],
        ["u-2", 40n, 0n],
      ]);
      assert.deepEqual(two.events(), ["redis_ready"]);
    });

    it("make no more than so many names in Redis; later ones share a bucket", async () => {
      const { budgets, events } = await open({ budgets: [budget()] }, { maxNames: 2 });
      for (const user of ["a", "b", "c", "d"]) {
        const reservation = await budgets.reserve({ ...payer, user }, attempt(400));
        reservation.settle({ costNanoUsd: 400n, tokens: 1 });
      }
      assert.equal(await isGranted(budgets.reserve({ ...payer, user: "e" }, attempt(201))), false);
      assert.ok(await isGranted(budgets.reserve({ ...payer, user: "a" }, attempt(600))));
      assert.ok(events().includes("budget_names_overflow"));
      const keys = await admin.keys("sluice:budget:{acme}:*");
      assert.deepEqual(
        [...new Set(await Promise.all(keys.map((key) => admin.pttl(key))))].filter((ms) => ms <= 0),
        [],
      );
    });

    it("make no bucket for a name that is refused, and bound no names that the configuration does", async () => {
      const budgets_ = [budget(), budget({ scope: "tenant" }), budget({ scope: "feature", only: ["faq", "chat"] })];
      const { budgets, events } = await open({ budgets: budgets_ }, { maxNames: 1 });
      const refused = Array.from({ length: 50 }, (_, index) => ({ ...payer, user: `made-up-${index}` }));
      for (const each of refused) assert.equal(await isGranted(budgets.reserve(each, attempt(1_001))), false);
      assert.deepEqual(await admin.keys("sluice:budget:*:*"), []);
      for (const feature of ["faq", "chat"]) {
        const reservation = await budgets.reserve({ ...payer, feature }, attempt(400));
        reservation.settle({ costNanoUsd: 400n, tokens: 1 });
      }
      assert.ok(!events().includes("budget_names_overflow"));
      // Of the tenant's own budget 200 are left, whatever users there are.
      const failure = await refusal(budgets.reserve({ ...payer, user: "u-2" }, attempt(300)));
      assert.deepEqual(failure.reason === "BUDGET_EXCEEDED" && [failure.scope, failure.spentNanoUsd], ["tenant", 800n]);
    });

    it("say what stands in the way of an attempt that makes no bucket", async () => {
      const { budgets } = await open({ budgets: [budget()] });
      const failure = await refusal(budgets.reserve(payer, attempt(1_001)));
      assert.ok(failure.reason === "BUDGET_EXCEEDED");
      assert.deepEqual([failure.spentNanoUsd, failure.reservedNanoUsd], [0n, 0n]);
    });

    it("hold although the clock of a process is days behind that of Redis, and say so", async () => {
      const clock = { ...systemClock, nowMs: () => Date.now() - 4 * 86_400_000 };
      const { budgets, lines, events } = await open({ budgets: [budget()] }, { clock });
      for (let round = 0; round < 3; round++) {
        const reservation = await budgets.reserve(payer, attempt(300));
        reservation.settle({ costNanoUsd: 300n, tokens: 1 });
        await until(async () => (await standing(budgets)).reserved === 0n);
      }
      assert.equal(await isGranted(budgets.reserve(payer, attempt(101))), false);
      const held = await budgets.reserve(payer, attempt(100));
      const keys = await admin.keys("sluice:budget:{acme}:*");
      const kept = await Promise.all(keys.map((key) => admin.pttl(key)));
      assert.ok(kept.length >= 3 && kept.every((ms) => ms > 60_000), `${kept}`);
      held.settle({ costNanoUsd: 100n, tokens: 1 });
      assert.deepEqual(
        events().filter((event) => event.startsWith("budgets_")),
        ["budgets_clock_differs"],
      );
      const said = lines.find(({ event }) => event === "budgets_clock_differs")?.fields.difference_ms;
      assert.equal(Math.round(Number(said) / 86_400_000), -4);
    });

    it("read fields that are missing as 0", async () => {
      const { budgets } = await open({ budgets: [budget()] });
      await budgets.reserve(payer, attempt(100));
      const [key = ""] = (await admin.keys("sluice:budget:{acme}:*")).filter((each) => /:[0-9a-f]{32}$/.test(each));
      await admin.hdel(key, "seed", "spent", "reserved");
      assert.ok(await isGranted(budgets.reserve(payer, attempt(1_000))));
      assert.deepEqual(await standing(budgets), { spent: 0n, reserved: 1_100n });
    });

    describe("that does not answer", () => {
      const rules = { budgets: [budget()] };
      const slow = { timeoutMs: 40 };

      it("lets each process spend at most what was left in its own view, and is told all of it later", async () => {
        const [one, two] = [
          await open(rules, { ...slow, url: through() }),
          await open(rules, { ...slow, url: through() }),
        ];
        for (const { budgets } of [one, two]) {
          const reservation = await budgets.reserve(payer, attempt(200));
          reservation.settle({ costNanoUsd: 200n, tokens: 1 });
        }
        await until(
          async () => (await standing(one.budgets)).spent === 400n && (await standing(two.budgets)).spent === 400n,
        );
        const begun = [tries(one.budgets, 100, 100), tries(two.budgets, 100, 100)];
        proxy.stall();
        const during = (await Promise.all(begun)).map((each) => each.filter((one) => one !== undefined));
        const more = (await Promise.all([tries(one.budgets, 100, 100), tries(two.budgets, 100, 100)])).map((each) =>
          each.filter((one) => one !== undefined),
        );
        const granted = [...during, ...more].flat();
        // 600 were left, in the view of each of the two.
        assert.ok(granted.length <= 12, `${granted.length}`);
        assert.ok(granted.length >= 6, `${granted.length}`);
        assert.ok([...one.lines, ...two.lines].some(({ event }) => event === "budgets_in_process"));
        for (const reservation of granted) reservation.settle({ costNanoUsd: 100n, tokens: 1 });
        proxy.resume();
        const total = BigInt(400 + granted.length * 100);
        await until(async () => {
          const stands = await Promise.all([standing(one.budgets), standing(two.budgets)]);
          return stands.every(({ spent, reserved }) => spent === total && reserved === 0n);
        });
        assert.equal(await isGranted(one.budgets.reserve(payer, attempt(1))), false);
      });

      it("is killed and comes back empty: what the processes know is what it begins with", async () => {
        const own = await redis.start();
        const front = await startTcpProxy(own.port);
        try {
          const url = `redis://127.0.0.1:${front.port}`;
          const [one, two] = [await open(rules, { ...slow, url }), await open(rules, { ...slow, url })];
          const first = await one.budgets.reserve(payer, attempt(300));
          first.settle({ costNanoUsd: 300n, tokens: 1 });
          const open_ = await two.budgets.reserve(payer, attempt(100));
          await until(async () => (await standing(two.budgets)).spent === 300n);
          await own.stop("SIGKILL");
          const away = await one.budgets.reserve(payer, attempt(200));
          away.settle({ costNanoUsd: 150n, tokens: 1 });
          const again = await redis.start(own.port);
          try {
            open_.settle({ costNanoUsd: 70n, tokens: 1 });
            await until(async () => {
              const stands = await Promise.all([standing(one.budgets), standing(two.budgets)]);
              return stands.every(({ spent, reserved }) => spent === 520n && reserved === 0n);
            });
            assert.equal(await isGranted(two.budgets.reserve(payer, attempt(481))), false);
            assert.ok(await isGranted(two.budgets.reserve(payer, attempt(480))));
          } finally {
            await Promise.all(opened.splice(0).map((budgets) => budgets.close()));
            await again.stop();
          }
        } finally {
          await front.close();
        }
      });

      it("is asked again with what may have arrived, and counts it once", async () => {
        const { budgets } = await open(rules, { ...slow, url: through() });
        await budgets.reserve(payer, attempt(0));
        let spent = 0n;
        for (let round = 0; round < 5; round++) {
          const reservations = (await tries(budgets, 5, 10)).filter((one) => one !== undefined);
          // Longer than the time-out: it arrives, and nobody hears the reply.
          proxy.delay(60);
          for (const reservation of reservations) reservation.settle({ costNanoUsd: 10n, tokens: 1 });
          spent += 10n * BigInt(reservations.length);
          await new Promise((resolve) => setTimeout(resolve, 200));
          proxy.delay(0);
        }
        await until(async () => {
          const now = await standing(budgets);
          return now.spent === spent && now.reserved === 0n;
        });
      });
    });
  });
});
