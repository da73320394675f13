import assert from "node:assert/strict";
import type { ScriptedStep } from "../../support/scripted-upstream.ts";
import { chunk, completion, events, failure, streamed } from "../../support/scripted-upstream.ts";
import { attempt, modelRequest, withUpstream } from "./model-request.ts";

describe("aborting", () => {
  const moments: readonly [string, ScriptedStep][] = [
    ["before the header", { action: "hang" }],
    ["before the first byte", { ...events([]), end: "hang" }],
    ["in the middle of a stream", events([chunk({ content: "a" })], { end: "hang" })],
    ["after the finish reason", events([chunk({ content: "a" }), chunk({}, "stop")], { end: "hang" })],
    ["in the middle of a document", { ...completion("a"), send_bytes: 20, end: "hang" }],
    ["in the middle of an error", { ...failure(429, { message: "x" }), send_bytes: 3, end: "hang" }],
  ];
  for (const [name, step] of moments) {
    it(`${name} closes the socket and throws the signal's reason`, () =>
      withUpstream(step, async (model, upstream) => {
        const controller = new AbortController();
        const outcome = assert.rejects(attempt(model, modelRequest(), controller.signal), /the caller left/);
        await upstream.received(1);
        await new Promise((resolve) => setTimeout(resolve, 30));
        controller.abort(new Error("the caller left"));
        await Promise.all([outcome, upstream.calls[0]?.closed]);
      }));
  }

  it("before the start sends nothing", () =>
    withUpstream(streamed(["a"]), async (model, upstream) => {
      await assert.rejects(attempt(model, modelRequest(), AbortSignal.abort(new Error("too late"))), /too late/);
      assert.equal(upstream.calls.length, 0);
    }));

  it("is not needed: leaving the loop closes the socket too", () =>
    withUpstream(events([chunk({ content: "a" })], { end: "hang" }), async (model, upstream) => {
      for await (const event of model.complete(modelRequest(), new AbortController().signal)) {
        assert.equal(event.kind, "delta");
        break;
      }
      await upstream.calls[0]?.closed;
    }));

  it("closes the socket while the reader is busy with a delta", () =>
    withUpstream(events([chunk({ content: "a" })], { end: "hang" }), async (model, upstream) => {
      const controller = new AbortController();
      const run = async () => {
        for await (const _ of model.complete(modelRequest(), controller.signal)) {
          controller.abort(new Error("the caller left"));
          await upstream.calls[0]?.closed;
        }
      };
      await assert.rejects(run(), /the caller left/);
    }));
});
