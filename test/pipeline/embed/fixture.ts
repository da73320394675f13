import { layeredVectors } from "../../../src/adapters/cache-layers/vectors.ts";
import { createMemoryVectors } from "../../../src/adapters/memory-vectors.ts";
import type { Call } from "../../../src/core/call.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { EmbeddingAnswer, EmbeddingRequest, EmbeddingTarget } from "../../../src/core/embedding.ts";
import { UpstreamError, type UpstreamErrorFields } from "../../../src/core/model.ts";
import { type CachePolicy, cachePolicy } from "../../../src/pipeline/cache.ts";
import { Charges } from "../../../src/pipeline/charge.ts";
import { EmbedBatches, type EmbedJob, type EmbedPorts } from "../../../src/pipeline/embed.ts";
import { embeddingCatalog, embeddingTarget, wordVector } from "../../support/embedding-models.ts";
import { pipelinePorts, type TestPorts, testCall } from "../../support/pipeline-ports.ts";

export type EmbedTestPorts = TestPorts & EmbedPorts;

/** Ports whose batches are real, with vectors in memory; the clock is the real one unless a test says otherwise. */
export function embedPorts(
  target: EmbeddingTarget,
  options: Parameters<typeof pipelinePorts>[1] & { coalesceMs?: number; vectors?: EmbedPorts["vectors"] } = {},
): EmbedTestPorts {
  const { coalesceMs, vectors: given, ...rest } = options;
  const base = pipelinePorts([], { clock: systemClock, ...rest });
  const { clock } = base;
  const vectors = given ?? layeredVectors(createMemoryVectors({ maxBytes: 1 << 20, clock }));
  const retry = { ...base.retry, backoffBaseMs: 2, backoffMaxMs: 4 };
  const ports = { ...base, retry, vectors, embeddingModels: embeddingCatalog(target), vectorTtlMs: 60_000 };
  const window = coalesceMs === undefined ? {} : { coalesceMs };
  return { ...ports, embedBatches: new EmbedBatches({ ...ports, ...window }) };
}

export interface TestJob extends EmbedJob {
  leave(): void;
}

let calls = 0;

/** A call of its own that asks for texts. */
export function jobOf(
  ports: EmbedTestPorts,
  texts: readonly string[],
  fields: { tenant?: string; policy?: Partial<CachePolicy>; call?: Partial<Call>; target?: EmbeddingTarget } = {},
): TestJob {
  calls += 1;
  const { tenant = "acme", policy } = fields;
  const call = testCall({ id: `call-${calls}`, caller: { tenant, keyId: "", isAdmin: false }, ...fields.call });
  const payer = {
    ...{ callId: call.id, tenant, feature: "", user: "", keyId: "", method: "Embed", promptName: "" },
    promptVersion: "",
  };
  return {
    ...{ call, texts, signal: call.signal, deadline: call.deadline, leave: call.leave },
    charges: new Charges(ports, payer),
    target: fields.target ?? ports.embeddingModels.resolve(ports.embeddingModels.defaultAlias),
    policy: { ...cachePolicy(undefined, 60_000), ...policy },
  };
}

export interface HeldRequest extends EmbeddingRequest {
  readonly signal: AbortSignal;
  answer(promptTokens?: number): void;
  fail(fields: UpstreamErrorFields): void;
}

export const words = (text: string): number => text.split(/\s+/).filter(Boolean).length;

/** A provider whose every request waits for the test to answer it. */
export function heldEndpoint() {
  const requests: HeldRequest[] = [];
  const waiters: (() => void)[] = [];
  return {
    requests,
    /** Resolves to the n-th request, from 0. */
    async request(index: number): Promise<HeldRequest> {
      for (;;) {
        const found = requests[index];
        if (found) return found;
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
    },
    embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingAnswer> {
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        requests.push({
          ...request,
          signal,
          answer: (promptTokens) => resolve(answerTo(request, promptTokens)),
          fail: (fields) => reject(new UpstreamError(fields)),
        });
        for (const waiter of waiters.splice(0)) waiter();
      });
    },
  };
}

/** An endpoint that answers at once, unless `fault` says otherwise for what it is asked. */
export function faultyEndpoint(fault: (request: EmbeddingRequest, index: number) => UpstreamErrorFields | undefined) {
  const requests: EmbeddingRequest[] = [];
  return {
    requests,
    async embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingAnswer> {
      signal.throwIfAborted();
      requests.push(request);
      const fields = fault(request, requests.length - 1);
      if (fields) throw new UpstreamError(fields);
      return answerTo(request);
    },
  };
}

function answerTo({ texts, dimension }: EmbeddingRequest, promptTokens?: number): EmbeddingAnswer {
  return {
    vectors: texts.map((text) => wordVector(text, dimension)),
    promptTokens: promptTokens ?? texts.reduce((sum, text) => sum + words(text), 0),
  };
}

export { embeddingTarget, wordVector };
