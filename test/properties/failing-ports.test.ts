import assert from "node:assert/strict";
import { SluiceError } from "../../src/core/failure.ts";
import { InvalidSchemaError } from "../../src/core/json-schema.ts";
import { UpstreamError } from "../../src/core/model.ts";
import { InvalidCheckError } from "../../src/core/semantic-check.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { checkInvariants } from "./invariants.ts";
import type { Plan } from "./plan.ts";
import { makeCall } from "./play.ts";
import { portCalls } from "./port-calls.ts";
import { PortFaults } from "./port-faults.ts";
import { type StageSet, setStage } from "./stage-set.ts";
import { settle } from "./virtual-clock.ts";

const BUG = new Error("planted in a port");

/**
 * Never fails, says its contract, and nobody waits for it: a bug there is told to no caller. It ends the process, as
 * every rejection does that nobody handles.
 */
const NEVER_AWAITED = "shared.set";

interface Played {
  readonly set: StageSet;
  readonly faults: PortFaults;
}

/** Plays a plan on ports of which one may fail. A call that hangs makes it throw. */
async function playOn(plan: Plan, faults: PortFaults): Promise<Played> {
  const set = setStage(plan);
  const pipeline = createPipeline(faults.wrap(set.ports));
  const calls = plan.callers.map((caller, index) => makeCall(set, pipeline, caller, `call-${index}`));
  await set.clock.runUntil(Promise.all(calls));
  await set.clock.runUntil(set.ports.activeCalls.idle(1000));
  await settle();
  return { set, faults };
}

/** What must hold whichever port failed, at whatever call. */
async function checkAfterwards({ set, faults }: Played, method: string): Promise<void> {
  const { seen } = set;
  assert.ok(faults.isSpent, "the port was never asked");
  assert.deepEqual(set.leftovers(), []);
  const keys = (type: string) =>
    seen.records.flatMap(({ record }) =>
      record.type === type && "attempt" in record ? [`${record.call_id}#${record.attempt}`] : [],
    );
  const [starts, ends] = [keys("attempt_started"), keys("attempt_finished")];
  for (const { request, wasRecorded } of seen.attempts) {
    assert.ok(wasRecorded, `${request.callId}#${request.attempt} was sent before its start was recorded`);
  }
  assert.equal(new Set(ends).size, ends.length, "an attempt was charged twice");
  if (!method.startsWith("ledger.record")) {
    assert.deepEqual(ends, starts, "an attempt that was started was not ended");
    const rows = seen.records.filter(({ record }) => record.type === "call_finished");
    if (!method.startsWith("log.")) assert.equal(rows.length, seen.callers.length, "a call has no row");
  }
  const good = seen.attempts.filter(({ outcome }) => outcome.fault === "good").map(({ text }) => text.trim());
  for (const { completion } of seen.writes) assert.ok(good.includes(completion.text), "a bad answer was stored");
  await checkNextCall(set);
}

/** The same ports, well again, answer the same question. */
async function checkNextCall(set: StageSet): Promise<void> {
  const [caller] = set.seen.callers;
  assert.ok(caller);
  // Whatever the circuit or a told wait has to say is over by then.
  const plan = { ...caller.plan, atMs: 120_000 };
  await set.clock.runUntil(makeCall(set, createPipeline(set.ports), plan, "next"));
  const next = set.seen.callers.find(({ id }) => id === "next");
  assert.ok(next?.completion, `the next call failed: ${next?.failure?.reason ?? next?.bug}`);
}

async function countCalls(plan: Plan): Promise<ReadonlyMap<string, number>> {
  const { set, faults } = await playOn(plan, new PortFaults());
  for (const { id, completion } of set.seen.callers) assert.ok(completion, `${id} fails where every port works`);
  checkInvariants({ plan, ...set.seen, sleeps: set.clock.sleeps, echoes: [], leftovers: set.leftovers() });
  return faults.counts;
}

describe("a port that fails", () => {
  const met = new Map<string, number>();

  for (const [name, plan] of Object.entries(portCalls)) {
    it(`with a bug, at whatever call, ends ${name} as INTERNAL and leaves nothing behind`, async () => {
      for (const [method, count] of await countCalls(plan)) {
        met.set(method, (met.get(method) ?? 0) + count);
        if (method === NEVER_AWAITED) continue;
        for (let nth = 1; nth <= count; nth += 1) {
          await inContext(`${method}, call ${nth} of ${count}`, async () => {
            const played = await playOn(plan, new PortFaults({ method, nth, error: BUG }));
            for (const { failure } of played.set.seen.callers) assert.equal(failure, undefined);
            const bugs = played.set.seen.callers.filter(({ bug }) => bug !== undefined);
            assert.ok(bugs.length > 0, "the bug was swallowed");
            for (const { bug } of bugs) assert.equal(bug, BUG);
            await checkAfterwards(played, method);
          });
        }
      }
    });

    it(`on purpose ends ${name} with the port's own reason, or is overcome`, async () => {
      const counts = await countCalls(plan);
      for (const { method, error, reason } of deliberate) {
        for (let nth = 1; nth <= (counts.get(method) ?? 0); nth += 1) {
          await inContext(`${method}, call ${nth}`, async () => {
            const played = await playOn(plan, new PortFaults({ method, nth, error: error() }));
            const reasons = played.set.seen.callers.map(({ bug, failure }) => bug ?? failure?.reason);
            const told = reasons.filter((it) => it !== undefined);
            assert.deepEqual([...new Set(told)], reason === undefined ? [] : [reason]);
            await checkAfterwards(played, method);
          });
        }
      }
    });
  }

  it("is every port that the pipeline has", () => {
    const expected = [
      "budgets.admit",
      "budgets.reserve",
      "chat.complete",
      "checks.compile",
      "checks.evaluate",
      "clock.sleep",
      "counter.count",
      "counter.observe",
      "gate.enter",
      "gates.of",
      "ledger.record attempt_finished",
      "ledger.record attempt_started",
      "ledger.record call_finished",
      "log.info",
      "log.warn",
      "memory.get",
      "memory.set",
      "models.resolve",
      "prices.price",
      "prompt.render",
      "prompts.get",
      "schemas.compile",
      "shared.claim",
      "shared.look",
      "shared.set",
    ];
    assert.deepEqual([...met.keys()].sort(), expected);
  });
});

/** What ports may throw by their contract. Without a reason, the call gets its answer all the same. */
const deliberate = [
  {
    method: "ledger.record attempt_started",
    error: () =>
      new SluiceError({ reason: "STORE_UNAVAILABLE", resource: "ledger_spool", limit: 1, retryAfterMs: 1000 }),
    reason: "STORE_UNAVAILABLE",
  },
  {
    method: "schemas.compile",
    error: () => new InvalidSchemaError("/type", "type", "planted"),
    reason: "INVALID_REQUEST",
  },
  {
    method: "checks.compile",
    error: () => new InvalidCheckError(0, "cel_syntax", "planted"),
    reason: "INVALID_REQUEST",
  },
  {
    method: "prompts.get",
    error: () => new SluiceError({ reason: "UNKNOWN_PROMPT", name: "ask", nearest: [] }),
    reason: "UNKNOWN_PROMPT",
  },
  {
    method: "prompt.render",
    error: () => new SluiceError({ reason: "INVALID_REQUEST", violations: [] }),
    reason: "INVALID_REQUEST",
  },
  {
    method: "chat.complete",
    error: () => new UpstreamError({ kind: "unreachable", httpStatus: 0 }),
    reason: undefined,
  },
] as const;

async function inContext(where: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw new Error(`${where}: ${error}`, { cause: error });
  }
}
