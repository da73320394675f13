import assert from "node:assert/strict";
import type { UpstreamErrorFields } from "../../src/core/model.ts";
import { target } from "../support/models.ts";
import { failure, type GateBench, gateBench, overloaded } from "./gate-bench.ts";
import { seeded } from "./parse/random.ts";

async function openCircuit(bench: GateBench): Promise<void> {
  await bench.run(5, overloaded);
  assert.equal(bench.circuit(), "open");
}

describe("the circuit of a model", () => {
  it("opens after five failures in a row, and not before", async () => {
    const bench = gateBench();
    await bench.run(4, overloaded);
    await bench.run(1, undefined);
    await bench.run(4, overloaded);
    assert.equal(bench.circuit(), "closed");
    assert.equal(bench.gates.state(bench.target)?.consecutiveFailures, 4);
    await bench.run(1, overloaded);
    assert.deepEqual(await bench.enter(), { kind: "circuit_open", retryAfterMs: 1000 });
  });

  it("opens when half of ten outcomes within 30 s are failures, however they alternate", async () => {
    const bench = gateBench();
    for (let index = 0; index < 4; index += 1) {
      await bench.run(1, undefined);
      await bench.run(1, overloaded);
      bench.clock.advance(3000);
    }
    assert.equal(bench.circuit(), "closed");
    await bench.run(1, undefined);
    await bench.run(1, overloaded);
    assert.equal(bench.circuit(), "open");
    bench.clock.advance(1000);
    await bench.run(1, undefined);
    await bench.run(4, overloaded);
    assert.equal(bench.circuit(), "closed", "what was before it opened no longer counts");
  });

  it("opens again when a probe fails, however few failures there were before", async () => {
    const bench = gateBench();
    for (let index = 0; index < 5; index += 1) {
      await bench.run(1, undefined);
      await bench.run(1, overloaded);
    }
    bench.clock.advance(60_000);
    await bench.run(1, overloaded);
    assert.equal(bench.gates.state(bench.target)?.probeAfterMs, 2000);
  });

  it("forgets outcomes after 30 s", async () => {
    const bench = gateBench();
    for (let index = 0; index < 100; index += 1) {
      await bench.run(1, undefined);
      await bench.run(1, overloaded);
      bench.clock.advance(8000);
    }
    assert.equal(bench.circuit(), "closed");
  });

  it("counts each outcome once", async () => {
    const bench = gateBench();
    const pass = await bench.pass();
    for (let index = 0; index < 5; index += 1) pass.end(overloaded);
    assert.equal(bench.gates.state(bench.target)?.consecutiveFailures, 1);
  });

  it("counts what the server fails in, and nothing else", async () => {
    const counts: readonly [UpstreamErrorFields | "abandoned", boolean][] = [
      [failure("overloaded"), true],
      [failure("unreachable"), true],
      [failure("stream_interrupted"), true],
      [failure("first_byte_timeout"), true],
      [failure("idle_timeout"), true],
      [failure("attempt_timeout"), true],
      [failure("unknown", { httpStatus: 500 }), true],
      [failure("unknown", { httpStatus: 418 }), false],
      [failure("unknown"), false],
      [failure("rate_limited", { httpStatus: 429 }), false],
      [failure("quota_exhausted", { httpStatus: 429 }), false],
      [failure("auth_invalid", { httpStatus: 401 }), false],
      [failure("request_refused", { httpStatus: 400 }), false],
      [failure("content_filtered_output", { httpStatus: 200 }), false],
      [failure("empty_answer", { httpStatus: 200 }), false],
      ["abandoned", false],
    ];
    for (const [outcome, isCounted] of counts) {
      const bench = gateBench();
      await bench.run(5, outcome);
      assert.equal(bench.circuit(), isCounted ? "open" : "closed", JSON.stringify(outcome));
    }
  });

  it("does not count an answer that was still coming when its time was over", async () => {
    const bench = gateBench();
    for (let index = 0; index < 5; index += 1) {
      const pass = await bench.pass();
      pass.alive();
      pass.end(failure("attempt_timeout"));
    }
    assert.equal(bench.circuit(), "closed");
  });

  it("lets one probe at a time through after its time, and closes at the first sign of life", async () => {
    const bench = gateBench();
    await openCircuit(bench);
    bench.clock.advance(999);
    assert.deepEqual(await bench.enter(), { kind: "circuit_open", retryAfterMs: 1 });
    bench.clock.advance(1);
    const probe = await bench.pass();
    assert.equal(bench.circuit(), "half_open");
    assert.deepEqual(await bench.enter(), { kind: "circuit_open", retryAfterMs: 500 });
    probe.alive();
    assert.equal(bench.circuit(), "closed");
    assert.equal(bench.gates.state(bench.target)?.consecutiveFailures, 0);
    await bench.run(4, overloaded);
    assert.equal(bench.circuit(), "closed");
    probe.end(overloaded);
    assert.equal(bench.circuit(), "open", "a probe that closed it counts as any other request from then on");
  });

  it("closes when a probe is answered well, or refused", async () => {
    for (const outcome of [undefined, failure("request_refused", { httpStatus: 400 }), failure("rate_limited")]) {
      const bench = gateBench();
      await openCircuit(bench);
      bench.clock.advance(1000);
      await bench.run(1, outcome);
      assert.equal(bench.circuit(), "closed");
    }
  });

  it("stays open twice as long after each probe that fails, up to 30 s, until an answer ends well", async () => {
    const bench = gateBench();
    await openCircuit(bench);
    const waits: (number | undefined)[] = [];
    for (let index = 0; index < 7; index += 1) {
      const waitMs = bench.gates.state(bench.target)?.probeAfterMs;
      waits.push(waitMs);
      bench.clock.advance(waitMs ?? 0);
      await bench.run(1, overloaded);
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    bench.clock.advance(30_000);
    const probe = await bench.pass();
    probe.alive();
    probe.end(failure("stream_interrupted"));
    await bench.run(4, overloaded);
    assert.equal(bench.gates.state(bench.target)?.probeAfterMs, 30_000, "no answer has ended well yet");
    bench.clock.advance(30_000);
    await bench.run(1, undefined);
    await openCircuit(bench);
    assert.equal(bench.gates.state(bench.target)?.probeAfterMs, 1000);
  });

  it("is opened longer, never shorter, by chance", async () => {
    const bench = gateBench({ random: () => 0.999 });
    await openCircuit(bench);
    const waitMs = bench.gates.state(bench.target)?.probeAfterMs ?? 0;
    assert.ok(waitMs > 1000 && waitMs <= 1100, String(waitMs));
  });

  it("waits for the next probe where one was abandoned", async () => {
    const bench = gateBench();
    await openCircuit(bench);
    bench.clock.advance(1000);
    await bench.run(1, "abandoned");
    assert.equal(bench.circuit(), "half_open");
    await bench.run(1, undefined);
    assert.equal(bench.circuit(), "closed");
  });

  it("takes no notice of how requests from before it opened end", async () => {
    const bench = gateBench();
    const late = await Promise.all(Array.from({ length: 40 }, () => bench.pass()));
    await openCircuit(bench);
    const endSome = (count: number) => {
      for (const pass of late.splice(0, count)) pass.end(overloaded);
    };
    endSome(10);
    assert.equal(bench.gates.state(bench.target)?.probeAfterMs, 1000, "late failures do not extend it");
    late.pop()?.alive();
    late.pop()?.end(undefined);
    assert.equal(bench.circuit(), "open", "a late success does not close it");
    bench.clock.advance(1000);
    const probe = await bench.pass();
    endSome(10);
    late.pop()?.end(undefined);
    assert.equal(bench.circuit(), "half_open", "only the probe decides");
    assert.equal((await bench.enter()).kind, "circuit_open");
    probe.end(undefined);
    endSome(10);
    assert.equal(bench.circuit(), "closed", "late failures do not open it again");
    assert.equal(bench.gates.state(bench.target)?.consecutiveFailures, 0);
  });

  it("says in the log when it opens, probes and closes, and of whom", async () => {
    const bench = gateBench();
    await openCircuit(bench);
    bench.clock.advance(1000);
    await bench.run(1, undefined);
    const fields = { provider: "main", provider_model: "gpt-test" };
    assert.deepEqual(bench.lines, [
      { level: "warn", event: "circuit_opened", fields: { ...fields, open_ms: 1000, consecutive_failures: 5 } },
      { level: "info", event: "circuit_half_open", fields },
      { level: "info", event: "circuit_closed", fields },
    ]);
  });
});

describe("the cool-down of a model", () => {
  const told = failure("rate_limited", { httpStatus: 429, waitMs: 2000 });

  it("lets nobody come sooner than told, and everybody after it", async () => {
    const bench = gateBench();
    await bench.run(1, told);
    assert.deepEqual(await bench.enter(), { kind: "cooling", waitMs: 2000, toldMs: 2000, error: told });
    bench.clock.advance(1999.5);
    const admission = await bench.enter();
    assert.ok(admission.kind === "cooling" && admission.toldMs === 1 && admission.waitMs >= 1);
    bench.clock.advance(0.5);
    await bench.run(1, undefined);
    await bench.run(1, told);
    const next = await bench.enter();
    assert.equal(next.kind === "cooling" && next.waitMs, 2000, "the places of another cool-down begin anew");
  });

  it("spreads those who wait: never two dozen within any 50 ms, nobody before the told end", async () => {
    const bench = gateBench({ random: seeded(1) });
    await bench.run(1, told);
    const startMs = bench.clock.monotonicMs();
    const arrivals: number[] = [];
    for (let index = 0; index < 400; index += 1) {
      const admission = await bench.enter();
      assert.ok(admission.kind === "cooling");
      arrivals.push(bench.clock.monotonicMs() - startMs + admission.waitMs);
      bench.clock.advance(3);
    }
    assert.ok(Math.min(...arrivals) >= 2000);
    assert.ok(Math.max(...arrivals) <= 4001);
    for (const first of arrivals) {
      const together = arrivals.filter((arrival) => arrival >= first && arrival < first + 50).length;
      assert.ok(together < 24, `${together} come within 50 ms`);
    }
  });

  it("keeps the longest of several waits", async () => {
    const bench = gateBench();
    const [first, second, third] = [await bench.pass(), await bench.pass(), await bench.pass()];
    first.end(told);
    bench.clock.advance(500);
    second.end(failure("rate_limited", { waitMs: 100 }));
    assert.deepEqual(await bench.enter(), { kind: "cooling", waitMs: 1500, toldMs: 1500, error: told });
    assert.equal(bench.gates.state(bench.target)?.coolDownMs, 1500);
    third.end(failure("overloaded", { httpStatus: 503, waitMs: 5000 }));
    assert.equal(bench.gates.state(bench.target)?.coolDownMs, 5000);
    const admission = await bench.enter();
    assert.ok(admission.kind === "cooling" && admission.error.kind === "overloaded");
  });

  it("keeps everybody away for a minute at most, and says the true wait", async () => {
    const bench = gateBench();
    const [first, second] = [await bench.pass(), await bench.pass()];
    first.end(failure("rate_limited", { waitMs: 86_400_000 }));
    const admission = await bench.enter();
    assert.ok(admission.kind === "cooling" && admission.toldMs === 86_400_000);
    bench.clock.advance(50_000);
    second.end(failure("rate_limited", { waitMs: 20_000 }));
    assert.equal(bench.gates.state(bench.target)?.coolDownMs, 20_000, "a shorter wait that ends after it is kept too");
    bench.clock.advance(20_000);
    await bench.run(1, undefined);
  });

  it("is not begun by failures that tell no wait, or one that concerns nobody else", async () => {
    const bench = gateBench();
    await bench.run(1, failure("rate_limited"));
    await bench.run(1, failure("rate_limited", { waitMs: 0 }));
    await bench.run(1, failure("exceeds_rate_window", { waitMs: 5000 }));
    await bench.run(1, failure("quota_exhausted", { waitMs: 5000 }));
    assert.equal((await bench.enter()).kind, "admitted");
  });

  it("comes after the circuit, and closes it when a probe is told to wait", async () => {
    const bench = gateBench();
    await openCircuit(bench);
    bench.clock.advance(1000);
    await bench.run(1, told);
    assert.equal(bench.circuit(), "closed");
    assert.equal((await bench.enter()).kind, "cooling");
  });

  it("is logged once when it begins", async () => {
    const bench = gateBench();
    const passes = [await bench.pass(), await bench.pass()];
    for (const pass of passes) pass.end(told);
    const fields = { provider: "main", provider_model: "gpt-test", wait_ms: 2000, kind: "rate_limited" };
    assert.deepEqual(bench.lines, [
      { level: "info", event: "cool_down_started", fields: { ...fields, http_status: 429 } },
    ]);
  });
});

describe("ModelGates", () => {
  it("are shared by the aliases of one provider and model, and by nobody else", async () => {
    const bench = gateBench();
    await openCircuit(bench);
    assert.equal(bench.gates.state(target({ alias: "other" }))?.circuit, "open");
    assert.equal(bench.gates.state(target({ providerModel: "other" }))?.circuit, "closed");
    assert.equal(bench.gates.state(target({ provider: { id: "other" } }))?.circuit, "closed");
  });

  it("let everything through to synthetic models, without a state", async () => {
    const { gates, clock } = gateBench();
    const sandbox = target({ synthetic: true, limits: { maxConcurrency: 1, maxQueue: 0 } });
    const wait = { deadline: { remainingMs: () => 60_000 }, signal: new AbortController().signal };
    for (let index = 0; index < 10; index += 1) {
      const admission = await gates.of(sandbox).enter(wait);
      assert.ok(admission.kind === "admitted");
      admission.pass.end({ ...overloaded, waitMs: 1000 });
    }
    assert.equal(gates.state(sandbox), undefined);
    assert.equal(gates.of(sandbox), gates.of(target({ synthetic: true })));
    assert.equal(clock.sleeps.length, 0);
  });
});
