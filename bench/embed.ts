import { layeredVectors } from "../src/adapters/cache-layers/vectors.ts";
import { noMemoryVectors } from "../src/adapters/memory-vectors.ts";
import { systemClock } from "../src/core/clock.ts";
import type { EmbeddingEndpoint, EmbeddingTarget } from "../src/core/embedding.ts";
import { cachePolicy } from "../src/pipeline/cache.ts";
import { Charges } from "../src/pipeline/charge.ts";
import { EmbedBatches, type EmbedPorts, embedTexts } from "../src/pipeline/embed.ts";
import { embeddingCatalog, embeddingTarget } from "../test/support/embedding-models.ts";
import { pipelinePorts, testCall } from "../test/support/pipeline-ports.ts";
import { type ScriptedEmbeddings, startScriptedEmbeddings } from "../test/support/scripted-embeddings.ts";
import type { Benchmark, Ratios } from "./benchmark.ts";
import { interleave, type Subject } from "./interleave.ts";

const CALLERS = 256;
const DELAY_MS = 20;
const MAX_CONCURRENCY = 16;
const DIMENSION = 64;
const efforts = { full: { durationMs: 3000, rounds: 5 }, quick: { durationMs: 200, rounds: 1 } };
const floor = "one request for each text";
const coalesced = "coalesced";

/** Calls with one text each that come at the same time, in shared requests against one request for each. */
export const embedding: Benchmark = {
  name: "embed",
  measure: async (effort) => {
    const { durationMs, rounds } = efforts[effort];
    const upstream = await startScriptedEmbeddings({ dimension: DIMENSION, delayMs: DELAY_MS });
    try {
      const subjects = [subject(floor, upstream, 1, durationMs), subject(coalesced, upstream, 256, durationMs)];
      const results = await interleave(subjects, rounds);
      const section: Ratios = {
        kind: "ratios",
        title: "single texts embedded at the same time",
        floor,
        ratiosOf: ["texts/s", "requests/s", "p50 ms", "p99 ms"],
        moreIsBetter: ["texts/s"],
        targets: [{ subject: coalesced, metric: "texts/s", atLeast: 2 }],
        settings: { callers: CALLERS, "upstream ms": DELAY_MS, "requests at once": MAX_CONCURRENCY },
        remarks: ["The upstream shares the process; the ratio depends on how many callers there are for a request."],
        results,
      };
      return [section];
    } finally {
      await upstream.close();
    }
  },
};

function subject(name: string, upstream: ScriptedEmbeddings, maxBatchTexts: number, durationMs: number): Subject {
  const limits = { maxConcurrency: MAX_CONCURRENCY, maxQueue: 4 * CALLERS };
  const ports = portsFor(
    embeddingTarget({ dimension: DIMENSION, maxBatchTexts, limits, endpoint: endpointOf(upstream) }),
  );
  let texts = 0;
  return {
    name,
    measure: async () => {
      const requestsBefore = upstream.requests.length;
      const latenciesMs: number[] = [];
      const startMs = performance.now();
      const caller = async () => {
        while (performance.now() - startMs < durationMs) {
          const beganMs = performance.now();
          texts += 1;
          await embedOne(ports, `${name}, boat number ${texts} at the quay`);
          latenciesMs.push(performance.now() - beganMs);
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
      const seconds = (performance.now() - startMs) / 1000;
      const sorted = latenciesMs.toSorted((a, b) => a - b);
      return {
        "texts/s": latenciesMs.length / seconds,
        "requests/s": (upstream.requests.length - requestsBefore) / seconds,
        "p50 ms": sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
        "p99 ms": sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
      };
    },
  };
}

function portsFor(target: EmbeddingTarget): EmbedPorts {
  const base = pipelinePorts([], { clock: systemClock });
  const ports = {
    ...base,
    ledger: { record: async () => {} },
    embeddingModels: embeddingCatalog(target),
    vectors: layeredVectors(noMemoryVectors()),
    vectorTtlMs: 60_000,
  };
  return { ...ports, embedBatches: new EmbedBatches(ports) };
}

async function embedOne(ports: EmbedPorts, text: string): Promise<void> {
  const call = testCall({ method: "Embed" });
  const payer = {
    ...{ callId: call.id, tenant: call.caller.tenant, feature: "", user: "", keyId: "", method: "Embed" },
    ...{ promptName: "", promptVersion: "" },
  };
  await embedTexts(ports, {
    ...{ call, texts: [text], signal: call.signal, deadline: call.deadline },
    charges: new Charges(ports, payer),
    target: ports.embeddingModels.resolve(ports.embeddingModels.defaultAlias),
    policy: cachePolicy(undefined, ports.vectorTtlMs),
  });
}

/** As little as can be between the batches and the upstream. */
function endpointOf({ baseUrl }: ScriptedEmbeddings): EmbeddingEndpoint {
  return {
    async embed({ texts, providerModel }, signal) {
      const response = await fetch(`${baseUrl}/embeddings`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: providerModel, input: texts, encoding_format: "float" }),
        signal,
      });
      const body: { data: { embedding: number[] }[]; usage: { prompt_tokens: number } } = JSON.parse(
        await response.text(),
      );
      return {
        vectors: body.data.map((one) => Float32Array.from(one.embedding)),
        promptTokens: body.usage.prompt_tokens,
      };
    },
  };
}
