import assert from "node:assert/strict";
import { Circuit, StructuredOutput } from "../../gen/sluice/v1/model_pb.ts";
import { ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import type { ModelTarget } from "../../src/core/model.ts";
import type { ModelState } from "../../src/core/model-state.ts";
import { embeddingCatalog, embeddingTarget } from "../support/embedding-models.ts";
import { catalog } from "../support/models.ts";
import { fakeTarget } from "./support/fake-ports.ts";
import { inMemory } from "./support/in-memory.ts";

describe("ModelService.ListModels", () => {
  const price = {
    promptNanoUsdPerMillionTokens: 10n,
    cachedPromptNanoUsdPerMillionTokens: 1n,
    completionNanoUsdPerMillionTokens: 80n,
    version: "list 1",
  };
  const ports = {
    models: catalog(
      fakeTarget("fast", { fallbacks: ["smart"], escalateTo: "smart", structuredOutput: "prompt" }),
      fakeTarget("smart", { synthetic: true, description: "answers at once", structuredOutput: "json_object" }),
    ),
    prices: { price: (_: unknown, model: string) => (model === "provider-fast" ? price : undefined) },
  };

  it("lists embedding models, the built-in one without a state", async () => {
    const embeddingModels = embeddingCatalog(
      embeddingTarget({ alias: "words", providerModel: "provider-fast", dimension: 64 }),
      embeddingTarget({ alias: "local/x", isBuiltIn: true, description: "runs here" }),
    );
    const states = {
      state: () => ({
        circuit: "open" as const,
        inFlight: 0,
        queued: 0,
        maxConcurrency: 1,
        maxQueue: 0,
        consecutiveFailures: 5,
      }),
    };
    const listed = await inMemory({ ports: { ...ports, embeddingModels, states } })
      .client(ModelService)
      .listModels({});
    const [words, local] = listed.embeddingModels;
    assert.deepEqual([words?.name, words?.dimension, words?.isDefault], ["words", 64, true]);
    assert.equal(words?.price?.promptNanoUsdPerMillionTokens, 10n);
    assert.deepEqual([words?.state?.circuit, local?.state], [Circuit.OPEN, undefined]);
    assert.deepEqual([local?.isDefault, local?.description, local?.price], [false, "runs here", undefined]);
  });

  it("lists aliases in the order of the configuration, with limits, chain and state", async () => {
    const { models } = await inMemory({ ports }).client(ModelService).listModels({});
    const [fast, smart] = models;
    assert.deepEqual(
      [fast?.name, fast?.isDefault, fast?.fallbacks, fast?.escalateTo],
      ["fast", true, ["smart"], "smart"],
    );
    assert.deepEqual([fast?.contextTokens, fast?.maxOutputTokens], [1000n, 100n]);
    assert.deepEqual(
      [smart?.name, smart?.isDefault, smart?.synthetic, smart?.description],
      ["smart", false, true, "answers at once"],
    );
    assert.deepEqual(
      models.map(({ structuredOutput }) => structuredOutput),
      [StructuredOutput.PROMPT, StructuredOutput.JSON_OBJECT],
    );
  });

  it("shows how real models are doing, and nothing of synthetic ones", async () => {
    const counts = { inFlight: 64, queued: 3, maxConcurrency: 64, maxQueue: 256, consecutiveFailures: 5 };
    const shownAs = async (state: ModelState) => {
      const states = { state: ({ synthetic }: ModelTarget) => (synthetic ? undefined : state) };
      const { models } = await inMemory({ ports: { ...ports, states } })
        .client(ModelService)
        .listModels({});
      assert.equal(models[1]?.state, undefined);
      const { $typeName: _, ...shown } = models[0]?.state ?? assert.fail("there is no state");
      return shown;
    };
    assert.deepEqual(await shownAs({ circuit: "open", probeAfterMs: 900.2, ...counts }), {
      circuit: Circuit.OPEN,
      probeAfterMs: 901n,
      ...counts,
    });
    assert.deepEqual(await shownAs({ circuit: "closed", coolDownMs: 12_000, ...counts }), {
      circuit: Circuit.CLOSED,
      coolDownMs: 12_000n,
      ...counts,
    });
    assert.deepEqual(await shownAs({ circuit: "half_open", ...counts }), { circuit: Circuit.HALF_OPEN, ...counts });
  });

  it("shows a known price, and none where it is unknown", async () => {
    const { models } = await inMemory({ ports }).client(ModelService).listModels({});
    assert.equal(models[0]?.price?.completionNanoUsdPerMillionTokens, 80n);
    assert.equal(models[0]?.price?.version, "list 1");
    assert.equal(models[1]?.price, undefined);
  });
});
