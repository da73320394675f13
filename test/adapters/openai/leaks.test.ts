import assert from "node:assert/strict";
import { completion, type ScriptedStep, streamed } from "../../support/scripted-upstream.ts";
import { attempt, modelRequest, withUpstream } from "./model-request.ts";

const STEPS: readonly ScriptedStep[] = [
  streamed(["a"]),
  completion("a"),
  { status: 503, body: {} },
  { action: "reset_after_request" },
  { ...streamed(["a"]), end: "reset" },
  { action: "hang" },
];

describe("after an attempt", () => {
  it("no timer of its limits and no listener on the caller's signal is left", () =>
    withUpstream(STEPS, async (model) => {
      const { signal } = new AbortController();
      let listeners = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      };
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
      const before = timers();
      for (const _ of STEPS) {
        // The last step hangs, and the first byte's limit ends it; the others are far from all limits.
        await attempt(
          model,
          modelRequest({ timeouts: { firstByteMs: 400, idleMs: 60_000, attemptMs: 60_000 } }),
          signal,
        );
      }
      assert.equal(listeners, 0);
      assert.ok(timers() <= before, `${timers()} timers, ${before} before`);
    }));
});
