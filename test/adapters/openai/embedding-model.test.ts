import assert from "node:assert/strict";
import { createOpenAiEmbeddings } from "../../../src/adapters/openai/embedding-model.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { EmbeddingEndpoint, EmbeddingRequest } from "../../../src/core/embedding.ts";
import { silentLog } from "../../../src/core/log.ts";
import { UpstreamError, type UpstreamErrorFields } from "../../../src/core/model.ts";
import {
  type EmbeddingBody,
  type EmbeddingFault,
  type ScriptedEmbeddings,
  startScriptedEmbeddings,
} from "../../support/scripted-embeddings.ts";

const DIMENSION = 8;
const never = new AbortController().signal;

describe("an OpenAI-compatible endpoint for embeddings", () => {
  let upstream: ScriptedEmbeddings;
  let endpoint: EmbeddingEndpoint & { close(): Promise<void> };

  beforeEach(async () => {
    upstream = await startScriptedEmbeddings({ dimension: DIMENSION });
    const { baseUrl } = upstream;
    const options = { providerId: "test", baseUrl, apiKey: "sk-secret", headers: { "X-Team": "search" } };
    endpoint = createOpenAiEmbeddings(options, { clock: systemClock, log: silentLog });
  });
  afterEach(async () => {
    await endpoint.close();
    await upstream.close();
  });

  const request = (texts: readonly string[], more: Partial<EmbeddingRequest> = {}): EmbeddingRequest => ({
    ...{ callId: "call", attempt: 2, providerModel: "words-v1", texts, dimension: DIMENSION, sendsDimension: false },
    timeouts: { firstByteMs: 2000, idleMs: 2000, attemptMs: 5000 },
    ...more,
  });
  const embed = (texts: readonly string[], more: Partial<EmbeddingRequest> = {}) =>
    endpoint.embed(request(texts, more), never);

  async function failure(
    fault: EmbeddingFault,
    texts: readonly string[] = ["one two", "three"],
    more: Partial<EmbeddingRequest> = {},
  ): Promise<UpstreamErrorFields> {
    upstream.failNext(fault);
    const error = await embed(texts, more).then(
      () => assert.fail("it succeeded"),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof UpstreamError, String(error));
    return error.fields;
  }
  const edited = (edit: (body: EmbeddingBody) => unknown): EmbeddingFault => ({ edit });

  it("sends the texts with key, headers and id, and the dimension only where it is to", async () => {
    await embed(["one", "two"]);
    await embed(["one"], { sendsDimension: true });
    const [first, second] = upstream.requests;
    assert.deepEqual([first?.path, first?.model, first?.texts], ["/v1/embeddings", "words-v1", ["one", "two"]]);
    const { authorization, "x-request-id": id, "x-team": team } = first?.headers ?? {};
    assert.deepEqual([authorization, id, team], ["Bearer sk-secret", "call-2", "search"]);
    assert.deepEqual([first?.json.dimensions, second?.json.dimensions], [undefined, DIMENSION]);
  });

  it("gives vectors of length 1 in the order of the texts, whatever the order of the answer", async () => {
    const straight = await embed(["one two", "three", "four"]);
    upstream.failNext(edited((body) => ({ ...body, data: body.data.toReversed() })));
    const turned = await embed(["one two", "three", "four"]);
    upstream.failNext(
      edited((body) => ({
        ...body,
        data: body.data.map((item) => ({
          ...item,
          embedding: Array.isArray(item.embedding) ? item.embedding.map((number) => number * 17) : item.embedding,
        })),
      })),
    );
    const scaled = await embed(["one two", "three", "four"]);
    assert.deepEqual(turned.vectors, straight.vectors);
    for (const [at, vector] of scaled.vectors.entries()) {
      assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
      assert.ok(vector.every((number, place) => Math.abs(number - (straight.vectors[at]?.[place] ?? 0)) < 1e-6));
    }
  });

  it("reads floats as bytes in base64 too", async () => {
    const plain = await embed(["one two"]);
    upstream.failNext(
      edited((body) => ({
        ...body,
        data: body.data.map((item) => {
          const floats = Float32Array.from(Array.isArray(item.embedding) ? item.embedding : []);
          return { ...item, embedding: Buffer.from(floats.buffer).toString("base64") };
        }),
      })),
    );
    const packed = await embed(["one two"]);
    assert.ok(packed.vectors[0]?.every((number, at) => Math.abs(number - (plain.vectors[0]?.[at] ?? 0)) < 1e-6));
  });

  it("tells the tokens that were reported, and none where that is nonsense", async () => {
    assert.equal((await embed(["one two", "three"])).promptTokens, 3);
    for (const [usage, wanted] of [
      [{ total_tokens: 9 }, 9],
      [{ prompt_tokens: -1 }, undefined],
      [{ prompt_tokens: "3" }, undefined],
      [undefined, undefined],
    ] as const) {
      upstream.failNext(edited((body) => ({ ...body, usage })));
      assert.equal((await embed(["one"])).promptTokens, wanted);
    }
  });

  const first = (embedding: unknown) =>
    edited((body) => ({ ...body, data: body.data.map((item, at) => (at === 0 ? { ...item, embedding } : item)) }));
  const numbers = (count: number, value: unknown = 0.5) => Array.from({ length: count }, () => value);

  for (const [name, fault, path, rule] of [
    ["one vector too few", edited((body) => ({ ...body, data: body.data.slice(1) })), "/data", "count"],
    ["one too many", edited((body) => ({ ...body, data: [...body.data, body.data[0]] })), "/data", "count"],
    ["no list", edited((body) => ({ ...body, data: {} })), "/data", "count"],
    ["an index twice", edited((body) => ({ ...body, data: [body.data[0], body.data[0]] })), "/data/1/index", "index"],
    ["null in a vector", first([null, ...numbers(DIMENSION - 1)]), "/data/0/embedding/0", "finite"],
    ["NaN as a text", first(["NaN", ...numbers(DIMENSION - 1)]), "/data/0/embedding/0", "finite"],
    ["more than a float holds", first([1e300, ...numbers(DIMENSION - 1)]), "/data/0/embedding/0", "finite"],
    ["nothing but zeros", first(numbers(DIMENSION, 0)), "/data/0/embedding", "length"],
    ["no vector", first(null), "/data/0/embedding", "type"],
    ["half a float", first("AAAA"), "/data/0/embedding", "type"],
    ["one of another dimension", first(numbers(3)), "/data/0/embedding", "dimension"],
  ] as const) {
    it(`refuses ${name} as bad vectors, says where, and tells what it cost`, async () => {
      const { kind, violations, usage } = await failure(fault);
      assert.equal(kind, "bad_vectors");
      assert.deepEqual([violations?.[0]?.path, violations?.[0]?.rule], [path, rule]);
      assert.equal(usage?.promptTokens, 3);
    });
  }

  it("tells another dimension of all vectors from one that is broken", async () => {
    const { kind } = await failure(
      edited((body) => ({ ...body, data: body.data.map((item) => ({ ...item, embedding: numbers(3) })) })),
    );
    assert.equal(kind, "wrong_dimension");
  });

  for (const [name, fault, kind] of [
    ["429 with a wait", { status: 429, headers: { "retry-after": "7" } }, "rate_limited"],
    ["a wrong key", { status: 401 }, "auth_invalid"],
    ["an HTML page", edited(() => "<html>gateway</html>"), "empty_answer"],
    ["an error in a 200", edited(() => ({ error: { message: "overloaded", type: "overloaded_error" } })), "overloaded"],
    ["a body that is cut", { cut_after_bytes: 40 }, "stream_interrupted"],
    ["a connection that is reset", { reset: true }, "unreachable"],
  ] as const) {
    it(`tells ${name} as what it is`, async () => {
      const fields = await failure(fault);
      assert.equal(fields.kind, kind);
      if (kind === "rate_limited") assert.equal(fields.waitMs, 7000);
      assert.ok(!JSON.stringify(fields).includes("sk-secret"));
    });
  }

  it("gives up on silence after the time of an attempt", async () => {
    const timeouts = { firstByteMs: 50, idleMs: 50, attemptMs: 50 };
    assert.equal((await failure({ silence: true }, ["one"], { timeouts })).kind, "attempt_timeout");
  });

  it("closes its socket when its caller leaves", async () => {
    const letGo = upstream.hold();
    const controller = new AbortController();
    const left = endpoint.embed(request(["one"]), controller.signal);
    await upstream.received(1);
    controller.abort(new Error("the caller left"));
    await assert.rejects(left, /the caller left/);
    while (upstream.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    letGo();
  });
});
