import assert from "node:assert/strict";
import { seeded } from "../pipeline/parse/random.ts";
import { HangError, VirtualClock } from "./virtual-clock.ts";

const never = new AbortController().signal;

describe("the virtual clock", () => {
  it("wakes sleepers by time, then in the order in which they lay down", async () => {
    const clock = new VirtualClock(seeded(1));
    const woken: string[] = [];
    const sleeper = async (name: string, ms: number) => {
      await clock.sleep(ms, never);
      woken.push(`${name} at ${clock.monotonicMs()}`);
    };
    await clock.runUntil(Promise.all([sleeper("late", 86_400_000), sleeper("a", 5), sleeper("b", 5), sleeper("c", 1)]));
    assert.deepEqual(woken, ["c at 1", "a at 5", "b at 5", "late at 86400000"]);
  });

  it("stands still while anything can run", async () => {
    const clock = new VirtualClock(seeded(1));
    const seen: number[] = [];
    const busy = async () => {
      for (let step = 0; step < 1000; step += 1) await undefined;
      seen.push(clock.monotonicMs());
      await new Promise(setImmediate);
      seen.push(clock.monotonicMs());
    };
    await clock.runUntil(Promise.all([busy(), clock.sleep(1000, never)]));
    assert.deepEqual(seen, [0, 0]);
  });

  it("ends an aborted sleep at once, and leaves none behind", async () => {
    const clock = new VirtualClock(seeded(1));
    const controller = new AbortController();
    clock.after(7, () => controller.abort(new Error("enough")));
    const slept = clock.sleep(1e9, controller.signal);
    await clock.runUntil(slept);
    await assert.rejects(slept, /enough/);
    assert.equal(clock.monotonicMs(), 7);
    assert.deepEqual(clock.pendingSleeps(), []);
  });

  it("makes a hang visible", async () => {
    const clock = new VirtualClock(seeded(1));
    await assert.rejects(clock.runUntil(new Promise(() => {})), HangError);
  });

  it("can be set back on the wall without going back itself", () => {
    const clock = new VirtualClock(seeded(1));
    const before = clock.nowMs();
    clock.shiftWall(-5000);
    assert.equal(clock.nowMs(), before - 5000);
    assert.equal(clock.monotonicMs(), 0);
  });
});
