import assert from "node:assert/strict";
import { createOpenAiChatModel } from "../../../src/adapters/openai/chat-model.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { type Log, silentLog } from "../../../src/core/log.ts";
import {
  chunk,
  completion,
  events,
  failure,
  startScriptedUpstream,
  streamed,
} from "../../support/scripted-upstream.ts";
import { API_KEY, attempt, modelRequest, withUpstream } from "./model-request.ts";

const COUNTS = { promptTokens: 310, cachedPromptTokens: 0, completionTokens: 24, reasoningTokens: 0 };
const END = { kind: "end", finish: "stop", usage: COUNTS, servedModel: "served-model" };

/** The end mark of the body comes a moment after the last event. */
const LATE_END_MARK = events([chunk({ content: "a" }), chunk({}, "stop"), { data: "[DONE]", every_ms: 20 }]);

describe("the OpenAI-compatible chat model", () => {
  it("streams the deltas of a stream, then its end", () =>
    withUpstream(streamed(["Hel", "lo"]), async (model) => {
      assert.deepEqual(await attempt(model), { text: "Hello", deltas: 2, end: END });
    }));

  it("gives a document as one delta", () =>
    withUpstream(completion("Hello"), async (model, upstream) => {
      assert.deepEqual(await attempt(model, modelRequest({ streamUpstream: false })), {
        text: "Hello",
        deltas: 1,
        end: END,
      });
      assert.equal(upstream.calls[0]?.json?.stream, false);
    }));

  it("takes a document for a stream and a stream for a document, under either content type", async () => {
    const jsonAsStream = { ...completion("Hello"), headers: { "content-type": "text/event-stream" } };
    const streamAsJson = { ...streamed(["Hello"]), headers: { "content-type": "application/json" } };
    await withUpstream([completion("Hello"), jsonAsStream, streamed(["Hello"]), streamAsJson], async (model) => {
      for (const streamUpstream of [true, true, false, false]) {
        assert.deepEqual((await attempt(model, modelRequest({ streamUpstream }))).end, END);
      }
    });
  });

  it("sends its request to the chat endpoint with key, query and request id", () =>
    withUpstream(
      streamed(["x"]),
      async (model, upstream) => {
        await attempt(model, modelRequest({ attempt: 3 }));
        const call = upstream.calls[0];
        assert.match(call?.head ?? "", /^POST \/v1\/chat\/completions\?api-version=7 HTTP\/1\.1\r\n/);
        assert.equal(call?.headers.authorization, `Bearer ${API_KEY}`);
        assert.equal(call?.headers["x-request-id"], "call-1-3");
        assert.equal(call?.headers["x-title"], "sluice test");
        assert.equal(call?.headers["content-type"], "application/json");
      },
      { query: { "api-version": "7" }, headers: { "x-title": "sluice test" } },
    ));

  it("waits for nothing after [DONE]", () =>
    withUpstream(
      events([chunk({ content: "a" }), chunk({}, "stop"), { data: "[DONE]" }], { end: "hang" }),
      async (model, upstream) => {
        const startedAt = performance.now();
        assert.equal((await attempt(model)).text, "a");
        // The usage would be waited for 2 seconds.
        assert.ok(performance.now() - startedAt < 1_500);
        await upstream.calls[0]?.closed;
      },
    ));

  it("uses one connection for one attempt after another", () =>
    withUpstream(
      [LATE_END_MARK, completion("b"), failure(500, { message: "c" }), streamed(["d"])].map((step) => ({
        ...step,
        keep_alive: true,
      })),
      async (model, upstream) => {
        const counts = new Set<number>();
        for (let i = 0; i < 4; i++) {
          await attempt(model);
          counts.add(upstream.openConnections);
          // Until a stream's end mark is there, its connection is not free.
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
        assert.deepEqual([...counts], [1]);
        assert.equal(
          upstream.calls.some((call) => call.closedAt !== undefined),
          false,
        );
      },
    ));

  it("classifies a refusal and reports the wait", () =>
    withUpstream(
      failure(429, { message: "slow down", code: "rate_limit_exceeded" }, { "retry-after": "{{http_date:+60s}}" }),
      async (model) => {
        const { failure: found } = await attempt(model);
        assert.equal(found?.kind, "rate_limited");
        assert.ok(
          found?.waitMs !== undefined && found.waitMs > 50_000 && found.waitMs <= 60_000,
          String(found?.waitMs),
        );
      },
    ));

  it("writes the next request differently after a refusal that names the field", () =>
    withUpstream(
      [
        failure(400, {
          message:
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
          param: "max_tokens",
          code: "unsupported_parameter",
        }),
        streamed(["ok"]),
      ],
      async (model, upstream) => {
        const { failure: refused } = await attempt(model);
        assert.deepEqual([refused?.kind, refused?.retry], ["request_refused", true]);
        assert.equal((await attempt(model)).text, "ok");
        assert.deepEqual(
          upstream.calls.map(({ json }) => [json?.max_tokens, json?.max_completion_tokens]),
          [
            [100, undefined],
            [undefined, 100],
          ],
        );
      },
    ));

  it("follows no redirect, so that the key stays with its origin", () =>
    withUpstream(
      [301, 302, 303, 307, 308].map((status) => ({
        status,
        headers: { location: "{{second_origin}}/v1/chat/completions" },
        body: {},
      })),
      async (model, upstream) => {
        for (let i = 0; i < 5; i++) assert.equal((await attempt(model)).failure?.kind, "request_refused");
        assert.equal(upstream.calls.length, 5);
        assert.deepEqual(upstream.strayRequests, []);
      },
    ));

  it("gives an error in the middle of a stream after the deltas before it", () =>
    withUpstream(
      events([
        chunk({ content: "Hel" }),
        { event: "error", data: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } } },
      ]),
      async (model) => {
        const { text, failure: found } = await attempt(model);
        assert.deepEqual([text, found?.kind, found?.httpStatus], ["Hel", "overloaded", 200]);
      },
    ));

  it("logs an error that it does not know, with a sample and without the key", async () => {
    const lines: unknown[] = [];
    const log: Log = { ...silentLog, warn: (event, fields) => lines.push({ event, ...fields }) };
    const upstream = await startScriptedUpstream({ body: { error: { message: `kaboom ${API_KEY}` } } });
    const model = createOpenAiChatModel(
      { providerId: "main", baseUrl: upstream.url, apiKey: API_KEY },
      { clock: systemClock, log },
    );
    assert.equal((await attempt(model)).failure?.kind, "unknown");
    assert.deepEqual(lines, [
      { event: "upstream_error_unknown", provider: "main", http_status: 200, sample: "kaboom [redacted]" },
    ]);
    await model.close();
    await upstream.close();
  });

  it("closes its connections, also those in use", () =>
    withUpstream({ action: "hang" }, async (model, upstream) => {
      const outcome = attempt(model);
      await upstream.received(1);
      await Promise.all([model.close(), upstream.calls[0]?.closed]);
      assert.equal((await outcome).failure?.kind, "unreachable");
    }));
});
