import assert from "node:assert/strict";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import type { Clock } from "../../src/core/clock.ts";
import { takeTurn } from "../../src/pipeline/shared-flight.ts";
import { fakeClock } from "../support/clock.ts";
import { entryOf, SharedStore } from "../support/shared-cache.ts";

const waiting = { signal: new AbortController().signal, deadline: { remainingMs: () => 60_000 } };

describe("the turn to make an answer", () => {
  const events: string[] = [];
  const note = (event: string) => void events.push(event);
  const log = { isEnabled: () => true, debug: note, info: note, warn: note, error: note };
  beforeEach(() => void events.splice(0));

  /** A process that waits with `clock`, whose every sleep runs `step` once. */
  function following(store: SharedStore, steps: (() => unknown)[]) {
    const inner = fakeClock();
    const clock: Clock & { sleeps: readonly number[] } = {
      ...inner,
      async sleep(delayMs, abort) {
        steps.shift()?.();
        await inner.sleep(delayMs, abort);
      },
    };
    return { ports: { shared: store.process(), clock, log }, clock };
  }

  async function led(store: SharedStore) {
    const claim = await store.process().claim("key");
    assert.ok(claim.kind === "lease");
    return claim.lease;
  }

  it("is the first one's, with a lease to give back", async () => {
    const store = new SharedStore();
    const turn = await takeTurn(following(store, []).ports, "key", waiting);
    assert.ok(turn.kind === "lead" && turn.lease && !turn.isTakenOver);
    await turn.lease.release();
    assert.equal(store.leases.size, 0);
  });

  it("is not taken where another process stored the answer since the look-up", async () => {
    const store = new SharedStore();
    store.entries.set("key", entryOf("there"));
    const turn = await takeTurn(following(store, []).ports, "key", waiting);
    assert.ok(turn.kind === "taken" && turn.status === CacheStatus.SHARED_HIT);
    assert.equal(turn.entry.completion.text, "there");
    assert.equal(store.leases.size, 0);
  });

  it("is nobody's where the store does not answer: everybody goes alone", async () => {
    const store = new SharedStore();
    store.isAway = true;
    const turn = await takeTurn(following(store, []).ports, "key", waiting);
    assert.deepEqual(turn, { kind: "lead", isTakenOver: false });
  });

  it("waits for the answer of the one that has it, more seldom the longer it waits", async () => {
    const store = new SharedStore();
    await led(store);
    const steps = Array.from({ length: 60 }, () => () => {});
    const { ports, clock } = following(store, [...steps, () => void store.entries.set("key", entryOf("theirs"))]);
    const turn = await takeTurn(ports, "key", waiting);
    assert.ok(turn.kind === "taken" && turn.status === CacheStatus.JOINED);
    assert.equal(turn.entry.completion.text, "theirs");
    assert.equal(clock.sleeps[0], 25);
    assert.equal(clock.sleeps.at(-1), 250);
    assert.deepEqual(events, []);
  });

  it("goes on alone when the leader gives up, and does not wait for another leader", async () => {
    const store = new SharedStore();
    const lease = await led(store);
    const givesUp = () => void lease.release();
    const free = await takeTurn(following(store, [() => {}, givesUp]).ports, "key", waiting);
    assert.ok(free.kind === "lead" && free.lease && !free.isTakenOver);

    const second = following(store, [() => void store.leases.clear()]);
    const taken = second.ports.shared.claim;
    let claims = 0;
    const shared = {
      ...second.ports.shared,
      claim: async (key: string) => (claims++ ? { kind: "taken" as const } : taken(key)),
    };
    const alone = await takeTurn({ ...second.ports, shared }, "key", waiting);
    assert.deepEqual([alone, claims], [{ kind: "lead", isTakenOver: false }, 2]);
  });

  it("takes the answer that is stored between the last look and the new claim", async () => {
    const store = new SharedStore();
    const lease = await led(store);
    const { ports } = following(store, [() => void lease.release()]);
    const watch = async (key: string) => {
      const seen = await ports.shared.watch(key);
      store.entries.set("key", entryOf("late"));
      return seen;
    };
    const turn = await takeTurn({ ...ports, shared: { ...ports.shared, watch } }, "key", waiting);
    assert.ok(turn.kind === "taken" && turn.entry.completion.text === "late");
    assert.equal(store.leases.size, 0);
  });

  it("is taken over by one when the leader dies, and says so; the others follow that one", async () => {
    const store = new SharedStore();
    await led(store);
    const runsOut = [() => Object.assign(store, { leaseMs: 200 }), () => void store.leases.clear()];
    const turn = await takeTurn(following(store, [() => {}, ...runsOut]).ports, "key", waiting);
    assert.ok(turn.kind === "lead" && turn.lease && turn.isTakenOver);
    assert.deepEqual(events, ["cache_leader_lost"]);
  });

  it("ends when the store goes away while it waits, after the lease it last saw", async () => {
    const store = new SharedStore();
    await led(store);
    const { ports, clock } = following(store, [() => {}, () => Object.assign(store, { isAway: true })]);
    const turn = await takeTurn(ports, "key", waiting);
    assert.deepEqual(turn, { kind: "lead", isTakenOver: false });
    assert.deepEqual(events, []);
    const waitedMs = clock.sleeps.reduce((sum, ms) => sum + ms, 0);
    assert.ok(waitedMs >= store.leaseMs && waitedMs < 2 * store.leaseMs, `${waitedMs} ms`);
  });

  it("is waited for when the store comes back without the lease, which its holder will have again", async () => {
    const store = new SharedStore();
    await led(store);
    const lease = store.leases.get("key") ?? Symbol("lost");
    const { ports } = following(store, [
      () => {},
      () => Object.assign(store, { isAway: true }),
      () => Object.assign(store, { isAway: false }) && store.leases.clear(),
      () => {},
      () => store.leases.set("key", lease),
      () => store.entries.set("key", entryOf("theirs")),
    ]);
    const turn = await takeTurn(ports, "key", waiting);
    assert.ok(turn.kind === "taken" && turn.entry.completion.text === "theirs");
    assert.deepEqual(events, []);
  });

  it("is taken over in the end when the lease does not come back either", async () => {
    const store = new SharedStore();
    await led(store);
    const { ports, clock } = following(store, [
      () => {},
      () => Object.assign(store, { isAway: true }),
      () => Object.assign(store, { isAway: false }) && store.leases.clear(),
    ]);
    const turn = await takeTurn(ports, "key", waiting);
    assert.ok(turn.kind === "lead" && turn.lease && turn.isTakenOver);
    assert.ok(clock.sleeps.reduce((sum, ms) => sum + ms, 0) < 2 * store.leaseMs);
  });

  it("stops waiting when nobody wants the answer any more", async () => {
    const store = new SharedStore();
    await led(store);
    const controller = new AbortController();
    const { ports } = following(store, [() => {}, () => controller.abort(new Error("left"))]);
    await assert.rejects(takeTurn(ports, "key", { ...waiting, signal: controller.signal }), /left/);
    assert.equal(store.released, 0);
  });
});
