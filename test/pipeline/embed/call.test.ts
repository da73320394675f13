import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { CacheMode } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../../gen/sluice/v1/error_detail_pb.ts";
import { EmbedRequestSchema } from "../../../gen/sluice/v1/pipeline_service_pb.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import { embed } from "../../../src/pipeline/embed.ts";
import { scriptedEndpoint } from "../../support/embedding-models.ts";
import { testCall } from "../../support/pipeline-ports.ts";
import { embeddingTarget, embedPorts, faultyEndpoint, heldEndpoint, wordVector } from "./fixture.ts";

type Ports = ReturnType<typeof embedPorts>;

function asked(
  ports: Ports,
  request: MessageInitShape<typeof EmbedRequestSchema>,
  call = testCall({ method: "Embed" }),
) {
  return embed(ports, call, create(EmbedRequestSchema, request));
}

/** The rows of calls, in what they say of the embedding. */
function rows({ records }: Ports) {
  return records.flatMap((record) => {
    if (record.type !== "call_finished") return [];
    const { method, model, attempts, prompt_tokens, cost_nano_usd, cache_status, error_reason } = record;
    return [{ method, model, attempts, prompt_tokens, cost_nano_usd, cache_status, error_reason }];
  });
}

const row = {
  ...{ method: "Embed", model: "words", attempts: 0, prompt_tokens: 0, cost_nano_usd: "0" },
  ...{ cache_status: "", error_reason: "" },
};

async function failureOf(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => assert.fail("it did not fail"),
    (thrown) => thrown,
  );
  assert.ok(error instanceof SluiceError, String(error));
  return error.failure;
}

describe("the Embed call", () => {
  it("answers in the order of the texts, and says what it cost", async () => {
    const ports = embedPorts(embeddingTarget());
    const texts = ["the quay opens", "a crane", "the quay opens"];
    const answer = await asked(ports, { texts, attribution: { feature: "search" } });
    assert.deepEqual(
      answer.embeddings.map(({ values }) => values),
      texts.map((text) => [...wordVector(text, 64)]),
    );
    const { model, providerModel, dimension, usage, costNanoUsd, callId, attempts } = answer;
    assert.deepEqual([model, providerModel, dimension, callId], ["words", "words-1", 64, testCall().id]);
    assert.deepEqual([usage?.promptTokens, usage?.estimated, costNanoUsd, attempts.length], [5n, false, 5n, 1]);
    assert.deepEqual(rows(ports), [
      { ...row, attempts: 1, prompt_tokens: 5, cost_nano_usd: "5", cache_status: "miss" },
    ]);
    const [started] = ports.records;
    assert.equal(started?.type === "attempt_started" && started.feature, "search");
  });

  it("costs nothing where everything is cached", async () => {
    const ports = embedPorts(embeddingTarget());
    await asked(ports, { texts: ["a b"] });
    const { usage, costNanoUsd, attempts, embeddings } = await asked(ports, { texts: ["a b"] });
    assert.deepEqual([usage?.promptTokens, costNanoUsd, attempts], [0n, 0n, []]);
    assert.equal(embeddings[0]?.cacheStatus, CacheStatus.MEMORY_HIT);
    assert.deepEqual(rows(ports)[1], { ...row, cache_status: "memory_hit" });
  });

  it("tells our own count of the built-in model, which costs nothing", async () => {
    const ports = embedPorts(embeddingTarget({ isBuiltIn: true }));
    const first = await asked(ports, { texts: ["a b", "c", "a b"] });
    assert.deepEqual([first.usage?.promptTokens, first.usage?.estimated, first.costNanoUsd], [3n, true, 0n]);
    const second = await asked(ports, { texts: ["a b", "d"] });
    assert.deepEqual([second.usage?.promptTokens, second.usage?.estimated], [1n, true]);
  });

  it("refuses texts without a letter or digit, by their place", async () => {
    const ports = embedPorts(embeddingTarget());
    const failure = await failureOf(asked(ports, { texts: ["a", " \n", "!?", "7", "日本"] }));
    assert.equal(failure.reason, "INVALID_REQUEST");
    const broken = failure.reason === "INVALID_REQUEST" ? failure.violations : [];
    assert.deepEqual(
      broken.map(({ field, rule }) => [field, rule]),
      [
        ["texts[1]", "text.blank"],
        ["texts[2]", "text.blank"],
      ],
    );
    for (const texts of [[], [""], Array<string>(257).fill("a"), ["a".repeat(262_145)]]) {
      assert.equal((await failureOf(asked(ports, { texts }))).reason, "INVALID_REQUEST");
    }
    assert.equal((await failureOf(asked(ports, { texts: Array<string>(99).fill(" ") }))).reason, "INVALID_REQUEST");
  });

  it("fails by name where there is no such model, and writes the row", async () => {
    const ports = embedPorts(embeddingTarget());
    const failure = await failureOf(asked(ports, { texts: ["a"], model: "others" }));
    assert.equal(failure.reason, "UNKNOWN_MODEL");
    assert.deepEqual(rows(ports), [{ ...row, model: "others", error_reason: "UNKNOWN_MODEL" }]);
  });

  it("keeps to the cache's modes", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const texts = ["a"];
    assert.equal(
      (await failureOf(asked(ports, { texts, cache: { mode: CacheMode.ONLY_IF_CACHED } }))).reason,
      "CACHE_MISS",
    );
    const modes = [CacheMode.BYPASS, CacheMode.UNSPECIFIED, CacheMode.REFRESH, CacheMode.ONLY_IF_CACHED];
    const statuses: (CacheStatus | undefined)[] = [];
    for (const mode of modes)
      statuses.push((await asked(ports, { texts, cache: { mode } })).embeddings[0]?.cacheStatus);
    const { BYPASSED, MISS, MEMORY_HIT } = CacheStatus;
    assert.deepEqual(statuses, [BYPASSED, MISS, MISS, MEMORY_HIT]);
  });

  it("charges what failed, and says so in its row", async () => {
    const endpoint = faultyEndpoint(() => ({ kind: "auth_invalid", httpStatus: 401 }));
    const ports = embedPorts(embeddingTarget({ endpoint }));
    assert.equal((await failureOf(asked(ports, { texts: ["a"] }))).reason, "PROVIDER_MISCONFIGURED");
    assert.deepEqual(rows(ports), [{ ...row, attempts: 1, error_reason: "PROVIDER_MISCONFIGURED" }]);
  });

  it("ends with the caller, told the stage and what it paid, and stops the request", async () => {
    const endpoint = heldEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const call = testCall({ method: "Embed" });
    const answer = asked(ports, { texts: ["a b"] }, call);
    const request = await endpoint.request(0);
    call.leave();
    const failure = await failureOf(answer);
    assert.ok(failure.reason === "CANCELLED");
    assert.deepEqual([failure.stage, failure.attempts.length, request.signal.aborted], [Stage.RETRIEVE, 1, true]);
    assert.deepEqual(rows(ports), [
      { ...row, attempts: 1, prompt_tokens: 2, cost_nano_usd: "2", error_reason: "CANCELLED" },
    ]);
  });

  it("writes the row of a caller who left when it is known what it cost", async () => {
    const endpoint = heldEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const call = testCall({ method: "Embed" });
    const leaving = asked(ports, { texts: ["a b"] }, call);
    const staying = asked(ports, { texts: ["c"] }, testCall({ id: "another", method: "Embed" }));
    const request = await endpoint.request(0);
    call.leave();
    assert.equal((await failureOf(leaving)).reason, "CANCELLED");
    assert.deepEqual(rows(ports), []);
    request.answer(6);
    await staying;
    await new Promise((resolve) => setImmediate(resolve));
    const paid = rows(ports).map(({ prompt_tokens, error_reason }) => [prompt_tokens, error_reason]);
    assert.deepEqual(paid.sort(), [
      [2, ""],
      [4, "CANCELLED"],
    ]);
  });
});
