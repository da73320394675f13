import assert from "node:assert/strict";
import { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import { layeredVectors } from "../../../src/adapters/cache-layers/vectors.ts";
import { createMemoryVectors } from "../../../src/adapters/memory-vectors.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { vectorKey } from "../../../src/pipeline/embed/key.ts";
import { embedTexts } from "../../../src/pipeline/embed.ts";
import { scriptedEndpoint } from "../../support/embedding-models.ts";
import { embeddingTarget, embedPorts, heldEndpoint, jobOf, wordVector } from "./fixture.ts";

const { MISS, MEMORY_HIT, SHARED_HIT, JOINED, BYPASSED } = CacheStatus;
const bypass = { mayRead: false, mayWrite: false, mayJoin: false };
const refresh = { mayRead: false, mayJoin: false };

describe("texts that are embedded", () => {
  it("have vectors in their order, each text sent once", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const texts = ["the quay", "a crane", "the quay", "nine boats", "a crane"];
    const { vectors, statuses, servedModel } = await embedTexts(ports, jobOf(ports, texts));
    const expected = texts.map((text) => wordVector(text, 64));
    assert.deepEqual([vectors, statuses, servedModel], [expected, texts.map(() => MISS), "words-1"]);
    assert.deepEqual(
      endpoint.requests.map((request) => request.texts),
      [["the quay", "a crane", "nine boats"]],
    );
  });

  it("need nothing to be sent where there are none", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const { vectors } = await embedTexts(ports, jobOf(ports, []));
    assert.deepEqual([vectors, endpoint.requests.length], [[], 0]);
  });

  it("are found in memory, and only what is new is sent and charged", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    await embedTexts(ports, jobOf(ports, ["the quay", "a crane"]));
    const job = jobOf(ports, ["a crane", "nine grey boats"]);
    const { vectors, statuses } = await embedTexts(ports, job);
    assert.deepEqual(vectors, [wordVector("a crane", 64), wordVector("nine grey boats", 64)]);
    assert.deepEqual(statuses, [MEMORY_HIT, MISS]);
    assert.equal(job.charges.total().usage.promptTokens, 3n);
    const cached = jobOf(ports, ["a crane"]);
    await embedTexts(ports, cached);
    assert.deepEqual([cached.charges.total().attempts, endpoint.requests.length], [[], 2]);
  });

  it("are found in the shared layer, and kept in memory from then on", async () => {
    const kept = new Map<string, Float32Array>();
    const shared = {
      get: async (keys: readonly string[]) =>
        keys.map((key) => {
          const vector = kept.get(key);
          return vector && { vector, remainingMs: 1000 };
        }),
      set: async (entries: readonly { key: string; vector: Float32Array }[]) => {
        for (const { key, vector } of entries) kept.set(key, vector);
      },
    };
    const target = embeddingTarget();
    const process = () =>
      embedPorts(target, {
        vectors: layeredVectors(createMemoryVectors({ maxBytes: 1 << 20, clock: systemClock }), shared),
      });
    const [first, second] = [process(), process()];
    await embedTexts(first, jobOf(first, ["the quay"]));
    const texts = ["the quay", "a crane"];
    assert.deepEqual((await embedTexts(second, jobOf(second, texts))).statuses, [SHARED_HIT, MISS]);
    assert.deepEqual((await embedTexts(second, jobOf(second, texts))).statuses, [MEMORY_HIT, MEMORY_HIT]);
  });

  it("are joined where another call is getting them, and paid for once", async () => {
    const endpoint = heldEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const [first, second] = [jobOf(ports, ["the quay"]), jobOf(ports, ["the quay"])];
    const both = [embedTexts(ports, first), embedTexts(ports, second)];
    (await endpoint.request(0)).answer();
    const [one, two] = await Promise.all(both);
    assert.deepEqual([one?.statuses, two?.statuses], [[MISS], [JOINED]]);
    assert.deepEqual(
      [first, second].map(({ charges }) => charges.total().attempts.length),
      [1, 0],
    );
    assert.equal(ports.embedBatches.size, 0);
  });

  it("are neither read nor stored nor shared where the cache is bypassed", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    await embedTexts(ports, jobOf(ports, ["a"]));
    assert.deepEqual((await embedTexts(ports, jobOf(ports, ["a", "b"], { policy: bypass }))).statuses, [
      BYPASSED,
      BYPASSED,
    ]);
    assert.deepEqual((await embedTexts(ports, jobOf(ports, ["b"]))).statuses, [MISS]);
  });

  it("are made anew and stored on a refresh", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    assert.deepEqual((await embedTexts(ports, jobOf(ports, ["a"]))).statuses, [MISS]);
    assert.deepEqual((await embedTexts(ports, jobOf(ports, ["a"], { policy: refresh }))).statuses, [MISS]);
    assert.deepEqual((await embedTexts(ports, jobOf(ports, ["a"]))).statuses, [MEMORY_HIT]);
    assert.equal(endpoint.requests.length, 2);
  });

  it("are a cache miss where only what is cached may be used, unless somebody is getting them", async () => {
    const endpoint = heldEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const only = { policy: { onlyIfCached: true } };
    const target = ports.embeddingModels.resolve("words");
    const { key } = vectorKey("acme", target, "a");
    await assert.rejects(embedTexts(ports, jobOf(ports, ["a"], only)), { failure: { reason: "CACHE_MISS", key } });
    const making = embedTexts(ports, jobOf(ports, ["a"]));
    const joined = embedTexts(ports, jobOf(ports, ["a"], only));
    (await endpoint.request(0)).answer();
    await making;
    assert.deepEqual((await joined).statuses, [JOINED]);
    assert.deepEqual((await embedTexts(ports, jobOf(ports, ["a"], only))).statuses, [MEMORY_HIT]);
    await assert.rejects(embedTexts(ports, jobOf(ports, ["a", "b"], only)), { message: "CACHE_MISS" });
    assert.equal(endpoint.requests.length, 1);
  });

  it("have a key for each tenant, model, dimension, provider and spelling, and none for each alias", () => {
    const target = embeddingTarget();
    const key = (fields: Partial<typeof target>, text = "caf\u00e9", tenant = "acme") =>
      vectorKey(tenant, { ...target, ...fields }, text).key;
    const keys = [
      key({}),
      key({}, "cafe\u0301"),
      key({}, "caf\u00e9", "globex"),
      key({ providerModel: "words-2" }),
      key({ dimension: 32 }),
      key({ provider: { ...target.provider, id: "other" } }),
      key({ provider: { ...target.provider, baseUrl: "http://other.test" } }),
      key({ provider: { ...target.provider, settings: "v2" } }),
    ];
    assert.equal(new Set(keys).size, keys.length);
    assert.match(keys[0] ?? "", /^[0-9a-f]{64}$/);
    assert.equal(key({ alias: "other", maxBatchTexts: 1, description: "another" }), keys[0]);
  });
});
