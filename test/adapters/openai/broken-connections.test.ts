import assert from "node:assert/strict";
import { streamWrites } from "../../support/scripted-upstream/bytes.ts";
import type { ScriptedEvent, ScriptedStep } from "../../support/scripted-upstream.ts";
import { chunk, completion, events, startScriptedUpstream, streamed } from "../../support/scripted-upstream.ts";
import { attempt, withUpstream } from "./model-request.ts";

/** 0, step, 2 step … below the end. */
function placesBefore(end: number, step: number): readonly number[] {
  return Array.from({ length: Math.ceil(end / step) }, (_, i) => i * step);
}

describe("broken connections", () => {
  const faults: readonly [string, ScriptedStep][] = [
    ["reset on accept", { action: "reset_on_accept" }],
    ["reset after the request", { action: "reset_after_request" }],
    ["closed after the request", { action: "close_after_request" }],
    ["refused", { action: "refuse" }],
    ["no HTTP", { action: "raw", bytes_base64: Buffer.from("SSH-2.0-OpenSSH\r\n").toString("base64") }],
    ["a header beyond 64 KiB", { ...streamed(["a"]), header_padding_bytes: 200_000 }],
  ];
  for (const [name, step] of faults) {
    it(`are unreachable: ${name}`, () =>
      withUpstream(step, async (model) => assert.equal((await attempt(model)).failure?.kind, "unreachable")));
  }

  it("are unreachable when TLS meets plain HTTP", async () => {
    const upstream = await startScriptedUpstream({ action: "tls_mismatch" });
    await withUpstream(
      streamed(["a"]),
      async (model) => assert.equal((await attempt(model)).failure?.kind, "unreachable"),
      {
        baseUrl: upstream.url.replace("http:", "https:"),
      },
    );
    await upstream.close();
  });

  const cutEvents = [chunk({ content: "Ål🛳" }), chunk({ content: "b" }), chunk({}, "stop")];
  const stream = Buffer.concat(streamWrites({ sse: cutEvents }).map((write) => write.bytes));
  const head = Buffer.from("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");

  for (const end of ["fin", "reset", "close"] as const) {
    it(`never pass for an answer when a stream ends by ${end} before its finish reason`, async () => {
      const places = placesBefore(stream.indexOf('"finish_reason":"stop"'), 9);
      const steps = places.map((bytes) =>
        events([{ raw_base64: stream.toString("base64", 0, bytes) }], { end, keep_alive: false }),
      );
      await withUpstream(steps, async (model) => {
        for (const place of places) {
          const outcome = await attempt(model);
          assert.equal(outcome.end, undefined, `cut at ${place}`);
          assert.match(outcome.failure?.kind ?? "", /^(?:stream_interrupted|empty_answer)$/, `cut at ${place}`);
        }
      });
    });
  }

  it("never pass for an answer when a response is cut in its header or in the framing of its chunks", async () => {
    const raw = Buffer.concat([head, Buffer.from(`${stream.length.toString(16)}\r\n`), stream]);
    const places = placesBefore(raw.indexOf('"finish_reason":"stop"'), 5);
    const steps = places.map(
      (bytes): ScriptedStep => ({ action: "raw", bytes_base64: raw.toString("base64", 0, bytes) }),
    );
    await withUpstream(steps, async (model) => {
      for (const place of places) {
        const { end, failure: found } = await attempt(model);
        assert.equal(end, undefined, `cut at ${place}`);
        assert.equal(found?.kind, place < head.length ? "unreachable" : "stream_interrupted", `cut at ${place}`);
      }
    });
  });

  it("cost no more than the usage after the finish reason", async () => {
    const usageCut: ScriptedEvent = { raw: 'data: {"choices":[],"usage":{"prompt_tokens":3' };
    for (const end of ["fin", "reset", "close"] as const) {
      await withUpstream(events([...cutEvents, usageCut], { end }), async (model) => {
        const { text, end: ended, failure: found } = await attempt(model);
        assert.deepEqual([text, ended?.finish, ended?.usage, found], ["Ål🛳b", "stop", undefined, undefined], end);
      });
    }
  });

  it("never pass for an answer when a document is cut", async () => {
    const whole = Buffer.byteLength(JSON.stringify(completion("Hello").body));
    const places = Array.from({ length: 40 }, (_, i) => Math.floor((i * whole) / 40));
    for (const end of ["fin", "reset"] as const) {
      await withUpstream(
        places.map((bytes) => ({ ...completion("Hello"), send_bytes: bytes, end })),
        async (model) => {
          for (const place of places)
            assert.equal((await attempt(model)).failure?.kind, "stream_interrupted", `${end} at ${place}`);
        },
      );
    }
  });

  it("never pass for an answer when a document ends cleanly but too early", () =>
    withUpstream({ body_text: JSON.stringify(completion("Hello").body).slice(0, -10) }, async (model) => {
      assert.equal((await attempt(model)).failure?.kind, "stream_interrupted");
    }));
});

describe("bodies without bounds", () => {
  const chunks = { chunk_repeat: 1_000, stop_after_bytes: 400 * 1024 * 1024 };

  for (const [name, text, status, kind] of [
    ["a line that never ends", `data: ${"x".repeat(100)}`, 200, "stream_interrupted"],
    ["a document that never ends", `{"a":"${"x".repeat(100)}`, 200, "stream_interrupted"],
    ["an event that never ends", `data: ${"x".repeat(100)}\n`, 200, "stream_interrupted"],
    ["a stream that never ends", ": ping\n\n".repeat(50), 200, "stream_interrupted"],
    ["an error that never ends", "x".repeat(100), 503, "overloaded"],
  ] as const) {
    it(`end in ${kind} and a closed socket: ${name}`, () =>
      withUpstream({ status, infinite_body: { ...chunks, chunk: text } }, async (model, upstream) => {
        const { failure: found } = await attempt(model);
        assert.equal(found?.kind, kind);
        await upstream.calls[0]?.closed;
      })).timeout(20_000);
  }
});
