import assert from "node:assert/strict";
import type { ScriptedStep } from "../../support/scripted-upstream.ts";
import { chunk, completion, events, failure, streamed } from "../../support/scripted-upstream.ts";
import { attempt, modelRequest, withUpstream } from "./model-request.ts";

const LIMITS = { firstByteMs: 10_000, idleMs: 10_000, attemptMs: 10_000 };

describe("limits of an attempt", () => {
  const cases: readonly [string, ScriptedStep, Partial<typeof LIMITS>, string][] = [
    ["no header comes", { action: "hang" }, { firstByteMs: 60 }, "first_byte_timeout"],
    [
      "the header drips",
      { ...streamed(["a"]), drip_headers: { bytes: 1, every_ms: 20 } },
      { firstByteMs: 60 },
      "first_byte_timeout",
    ],
    ["no body comes", { ...events([]), end: "hang" }, { firstByteMs: 60 }, "first_byte_timeout"],
    [
      "only comments come",
      events([{ comment: "ping", repeat: 200, every_ms: 10 }]),
      { firstByteMs: 60 },
      "first_byte_timeout",
    ],
    ["the stream falls silent", events([chunk({ content: "a" })], { end: "hang" }), { idleMs: 60 }, "idle_timeout"],
    ["the document falls silent", { ...completion("a"), send_bytes: 20, end: "hang" }, { idleMs: 60 }, "idle_timeout"],
    [
      "the stream never ends",
      events([{ ...chunk({ content: "a" }), repeat: 500, every_ms: 10 }]),
      { attemptMs: 120 },
      "attempt_timeout",
    ],
    [
      "comments never end",
      events([chunk({ content: "a" }), { comment: "ping", repeat: 500, every_ms: 10 }]),
      { attemptMs: 120, idleMs: 100 },
      "attempt_timeout",
    ],
    [
      "the document drips",
      { ...completion("a".repeat(500)), drip_body: { bytes: 1, every_ms: 5 } },
      { attemptMs: 120, idleMs: 100 },
      "attempt_timeout",
    ],
  ];
  for (const [name, step, limits, kind] of cases) {
    it(`ends in ${kind} and a closed socket when ${name}`, () =>
      withUpstream(step, async (model, upstream) => {
        const { failure: found } = await attempt(model, modelRequest({ timeouts: { ...LIMITS, ...limits } }));
        assert.equal(found?.kind, kind);
        await upstream.calls[0]?.closed;
      }));
  }

  it("has no first-byte limit for an answer that is not streamed", () =>
    withUpstream({ ...completion("late"), delay_ms: 100 }, async (model) => {
      const request = modelRequest({ streamUpstream: false, timeouts: { ...LIMITS, firstByteMs: 20 } });
      assert.equal((await attempt(model, request)).text, "late");
    }));

  it("does not count the time that a slow reader takes as idle", () =>
    withUpstream(streamed(["a", "b"]), async (model) => {
      let text = "";
      for await (const event of model.complete(
        modelRequest({ timeouts: { ...LIMITS, idleMs: 40 } }),
        new AbortController().signal,
      )) {
        if (event.kind === "delta") text += event.text;
        await new Promise((resolve) => setTimeout(resolve, 80));
      }
      assert.equal(text, "ab");
    }));

  it("does not count it as the attempt's time either, which is over as ever once the reader goes on", () =>
    withUpstream(
      events([chunk({ content: "a" }), { ...chunk({ content: "b" }), repeat: 500, every_ms: 10 }]),
      async (model) => {
        const request = modelRequest({ timeouts: { ...LIMITS, attemptMs: 100 } });
        let deltas = 0;
        const reading = async () => {
          for await (const event of model.complete(request, new AbortController().signal)) {
            if (event.kind === "delta") deltas += 1;
            if (deltas === 1) await new Promise((resolve) => setTimeout(resolve, 300));
          }
        };
        await assert.rejects(
          reading(),
          (error) => "fields" in Object(error) && Object(error).fields.kind === "attempt_timeout",
        );
        assert.ok(deltas > 1, "the attempt was over when the reader came back");
      },
    ));

  it("takes a silence after the finish reason for the end", () =>
    withUpstream(events([chunk({ content: "a" }), chunk({}, "stop")], { end: "hang" }), async (model) => {
      const { text, end } = await attempt(model, modelRequest({ timeouts: { ...LIMITS, idleMs: 60 } }));
      assert.deepEqual([text, end?.finish, end?.usage], ["a", "stop", undefined]);
    }));

  it("believes the status when the body of an error never comes", () =>
    withUpstream(
      { ...failure(429, { message: "x" }, { "retry-after": "7" }), send_bytes: 3, end: "hang" },
      async (model) => {
        const { failure: found } = await attempt(model, modelRequest({ timeouts: { ...LIMITS, idleMs: 60 } }));
        assert.deepEqual([found?.kind, found?.waitMs], ["rate_limited", 7_000]);
      },
    ));

  it("holds with limits of zero and beyond what timers can do", async () => {
    await withUpstream({ action: "hang" }, async (model) => {
      assert.equal(
        (await attempt(model, modelRequest({ timeouts: { ...LIMITS, attemptMs: 0 } }))).failure?.kind,
        "attempt_timeout",
      );
    });
    await withUpstream(streamed(["a"]), async (model) => {
      assert.equal(
        (await attempt(model, modelRequest({ timeouts: { firstByteMs: 1e12, idleMs: 1e12, attemptMs: 1e12 } }))).text,
        "a",
      );
    });
  });
});
