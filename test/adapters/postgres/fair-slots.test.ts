import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { FairSlots, type FairSlotsOptions, type Release } from "../../../src/adapters/postgres/fair-slots.ts";

/** Slots whose takers note their names when they get one. */
function bench(options: Partial<FairSlotsOptions> = {}) {
  const slots = new FairSlots({
    ...{ slots: 4, perKey: 2, waitMs: 60_000, maxWaitingPerKey: 3, maxWaiting: 5 },
    ...options,
  });
  const got: string[] = [];
  const releases = new Map<string, Release>();
  const take = async (name: string) => {
    const release = await slots.take(name.slice(0, 1));
    got.push(release ? name : `${name} refused`);
    if (release) releases.set(name, release);
  };
  return {
    got,
    async ask(...names: string[]) {
      for (const name of names) void take(name);
      await setImmediate();
    },
    async release(...names: string[]) {
      for (const name of names) {
        releases.get(name)?.();
        releases.delete(name);
        await setImmediate();
      }
    },
    held: () => [...releases.keys()],
  };
}

describe("fair slots", () => {
  it("leave room for others, however many of one key ask", async () => {
    const { got, ask } = bench();
    await ask("a1", "a2", "a3", "a4", "b1", "b2", "c1");
    assert.deepEqual(got, ["a1", "a2", "b1", "b2"]);
  });

  it("go to those that wait by turns of their keys, in the order of each", async () => {
    const { got, ask, release, held } = bench({ slots: 2 });
    await ask("a1", "a2", "a3", "a4", "b1", "b2", "c1");
    await release("a1", "a2", "a3", "b1", "c1", "a4");
    assert.deepEqual(got, ["a1", "a2", "a3", "b1", "c1", "a4", "b2"]);
    assert.deepEqual(held(), ["b2"]);
    await ask("d1", "d2");
    assert.deepEqual(held(), ["b2", "d1"]);
    await release("b2");
    assert.deepEqual(held(), ["d1", "d2"]);
  });

  it("pass over a key that has its share", async () => {
    const { got, ask, release } = bench({ slots: 3 });
    await ask("a1", "a2", "a3", "b1", "b2");
    await release("b1");
    await release("a1");
    assert.deepEqual(got, ["a1", "a2", "b1", "b2", "a3"]);
  });

  it("refuse at once where too many wait, of a key and of all", async () => {
    const { got, ask } = bench({ slots: 1 });
    await ask("a1", "b1", "b2", "b3", "b4", "c1", "c2", "d1");
    assert.deepEqual(got, ["a1", "b4 refused", "d1 refused"]);
  });

  it("refuse whoever waits too long, and forget it", async () => {
    const { got, ask, release } = bench({ slots: 1, waitMs: 1, maxWaiting: 1 });
    await ask("a1", "b1");
    while (got.length < 2) await setImmediate();
    await release("a1");
    await ask("c1");
    assert.deepEqual(got, ["a1", "b1 refused", "c1"]);
  });

  it("make nobody wait where that is not wanted", async () => {
    const { got, ask } = bench({ slots: 1, waitMs: 0 });
    await ask("a1", "a2");
    assert.deepEqual(got, ["a1", "a2 refused"]);
  });
});
