import assert from "node:assert/strict";
import { failure, gateBench, overloaded, settle } from "./gate-bench.ts";
import { seeded } from "./parse/random.ts";

describe("the slots of a model", () => {
  it("are held by admitted passes alone, and freed once", async () => {
    const bench = gateBench({ maxConcurrency: 2, maxQueue: 0 });
    const first = await bench.pass();
    await bench.pass();
    assert.deepEqual(await bench.enter(), { kind: "queue_full", limit: 0, retryAfterMs: 1000 });
    first.end(undefined);
    first.end(undefined);
    await bench.pass();
    assert.equal((await bench.enter()).kind, "queue_full");
    assert.equal(bench.gates.state(bench.target)?.inFlight, 2);
  });

  it("are given to those who wait in the order in which they came", async () => {
    const bench = gateBench({ maxConcurrency: 1 });
    let pass = await bench.pass();
    const order: number[] = [];
    const waiting = [0, 1, 2, 3].map(async (number) => {
      const next = await bench.pass();
      order.push(number);
      return next;
    });
    assert.equal(bench.gates.state(bench.target)?.queued, 4);
    for (const next of waiting) {
      pass.end(undefined);
      pass = await next;
    }
    assert.deepEqual(order, [0, 1, 2, 3]);
    assert.equal(bench.gates.state(bench.target)?.queued, 0);
  });

  it("refuse who comes to a full queue", async () => {
    const bench = gateBench({ maxConcurrency: 1, maxQueue: 2 });
    await bench.pass();
    const waiting = [bench.enter(), bench.enter()];
    assert.deepEqual(await bench.enter(), { kind: "queue_full", limit: 2, retryAfterMs: 1000 });
    assert.equal(waiting.length, bench.gates.state(bench.target)?.queued);
  });

  it("refuse who would have no time left at its turn, and say when that would be", async () => {
    const bench = gateBench({ maxConcurrency: 2 });
    const earlier = await bench.pass();
    bench.clock.advance(10_000);
    earlier.end(undefined);
    await bench.pass();
    bench.clock.advance(4000);
    await bench.pass();
    // Requests take 10 s: those under way end in 6 s and in 10 s, and their successors 10 s later.
    assert.deepEqual(await bench.enter({ remainingMs: 6000 }), { kind: "queue_full", limit: 256, retryAfterMs: 6000 });
    void bench.enter({ remainingMs: 6001 });
    assert.equal((await bench.enter({ remainingMs: 10_000 })).kind, "queue_full");
    void bench.enter({ remainingMs: 10_001 });
    assert.equal((await bench.enter({ remainingMs: 16_000 })).kind, "queue_full");
    assert.equal(bench.gates.state(bench.target)?.queued, 2);
  });

  it("go on to the next where the time of a call is over at its turn", async () => {
    const bench = gateBench({ maxConcurrency: 1 });
    const pass = await bench.pass();
    let remainingMs = 100;
    const signal = new AbortController().signal;
    const late = bench.gate.enter({ deadline: { remainingMs: () => remainingMs }, signal });
    const next = bench.enter();
    remainingMs = 0;
    pass.end(undefined);
    assert.equal((await late).kind, "queue_full");
    assert.equal((await next).kind, "admitted");
  });

  it("let a caller leave the queue at once, and keep no place for it", async () => {
    const bench = gateBench({ maxConcurrency: 1, maxQueue: 2 });
    const pass = await bench.pass();
    const controller = new AbortController();
    const leaving = bench.enter({ signal: controller.signal });
    const staying = bench.enter();
    controller.abort(new Error("the caller left"));
    await assert.rejects(leaving, /the caller left/);
    assert.equal(bench.gates.state(bench.target)?.queued, 1);
    pass.end(undefined);
    assert.equal((await staying).kind, "admitted");
    await assert.rejects(bench.enter({ signal: controller.signal }), /the caller left/);
  });

  it("are not lost on a caller who leaves in the moment of its turn", async () => {
    const bench = gateBench({ maxConcurrency: 1 });
    const pass = await bench.pass();
    const controller = new AbortController();
    const leaving = bench.enter({ signal: controller.signal });
    const next = bench.enter();
    pass.end(undefined);
    controller.abort(new Error("the caller left"));
    await assert.rejects(leaving, /the caller left/);
    assert.equal((await next).kind, "admitted");
  });

  it("leave the circuit and the cool-down alone where the queue refuses", async () => {
    const bench = gateBench({ maxConcurrency: 1, maxQueue: 0 });
    const hanging = await bench.pass();
    assert.equal((await bench.enter()).kind, "queue_full");
    hanging.end("abandoned");
    await bench.run(5, overloaded);
    bench.clock.advance(1000);
    const aborted = AbortSignal.abort(new Error("the caller left"));
    await assert.rejects(bench.enter({ signal: aborted }), /the caller left/);
    // The probe is still to be had.
    await bench.run(1, undefined);
  });

  it("send everybody in the queue away when the circuit opens, and when a cool-down begins", async () => {
    const bench = gateBench({ maxConcurrency: 7 });
    const passes = await Promise.all(Array.from({ length: 7 }, () => bench.pass()));
    const waiting = [bench.enter(), bench.enter()];
    bench.clock.advance(4000);
    passes.shift()?.end(failure("rate_limited", { waitMs: 1000 }));
    const told = await Promise.all(waiting);
    assert.deepEqual(
      told.map((admission) => admission.kind === "cooling" && admission.waitMs),
      [1000, 1025],
    );
    bench.clock.advance(1000);
    const waitingAgain = [bench.enter(), bench.enter(), bench.enter()];
    for (let index = 0; index < 5; index += 1) passes.shift()?.end(overloaded);
    const kinds = (await Promise.all(waitingAgain)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["admitted", "circuit_open", "circuit_open"]);
  });

  it("do not take a slot that was only passed on for a quick request", async () => {
    const bench = gateBench({ maxConcurrency: 1, maxQueue: 10 });
    const pass = await bench.pass();
    const waiting = Array.from({ length: 9 }, () => bench.enter());
    bench.clock.advance(8000);
    pass.end(failure("rate_limited", { waitMs: 1000 }));
    await Promise.all(waiting);
    bench.clock.advance(1000);
    await bench.pass();
    assert.deepEqual(await bench.enter({ remainingMs: 5000 }), { kind: "queue_full", limit: 10, retryAfterMs: 8000 });
  });

  it("never leak, whatever order things happen in", async function () {
    this.timeout(20_000);
    for (let seed = 1; seed <= 1000; seed += 1) await interleave(seed);
  });
});

/** Callers come, leave and end at random; in the end nobody waits, nothing is under way, and the order was kept. */
async function interleave(seed: number): Promise<void> {
  const random = seeded(seed);
  const maxConcurrency = 1 + Math.floor(random() * 3);
  const bench = gateBench({ random, maxConcurrency, maxQueue: 4 });
  const outcomes = [undefined, undefined, "abandoned", overloaded, failure("rate_limited", { waitMs: 30 })] as const;
  const passes: { end(): void }[] = [];
  const callers: { controller: AbortController; done: Promise<void> }[] = [];
  const come = () => {
    const controller = new AbortController();
    const done = bench.enter({ signal: controller.signal }).then(
      (admission) => {
        if (admission.kind !== "admitted") return;
        const { pass } = admission;
        if (random() < 0.3) pass.alive();
        passes.push({ end: () => pass.end(outcomes[Math.floor(random() * outcomes.length)]) });
      },
      (error: unknown) => assert.match(String(error), /left/),
    );
    callers.push({ controller, done });
  };
  const actions = [
    come,
    come,
    () => passes.splice(Math.floor(random() * passes.length), 1)[0]?.end(),
    () => callers[Math.floor(random() * callers.length)]?.controller.abort(new Error("left")),
    () => bench.clock.advance(random() * 400),
  ];
  for (let step = 0; step < 40; step += 1) {
    actions[Math.floor(random() * actions.length)]?.();
    if (random() < 0.5) await Promise.resolve();
    const { inFlight = 0, queued = 0 } = bench.gates.state(bench.target) ?? {};
    assert.ok(inFlight <= maxConcurrency && queued <= 4, `seed ${seed}: ${inFlight} under way, ${queued} wait`);
    assert.ok(queued === 0 || inFlight === maxConcurrency, `seed ${seed}: somebody waits although a slot is free`);
  }
  for (;;) {
    await settle();
    if (passes.length === 0) break;
    for (const pass of passes.splice(0)) pass.end();
  }
  await Promise.all(callers.map(({ done }) => done));
  const end = bench.gates.state(bench.target);
  assert.deepEqual([end?.inFlight, end?.queued], [0, 0], `seed ${seed}`);
}
