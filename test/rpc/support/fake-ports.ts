import { create } from "@bufbuild/protobuf";
import { CompletionSchema } from "../../../gen/sluice/v1/completion_pb.ts";
import {
  PutDocumentsResponseSchema,
  ReembedCollectionResponseSchema,
} from "../../../gen/sluice/v1/corpus_service_pb.ts";
import { ExplanationSchema } from "../../../gen/sluice/v1/explanation_pb.ts";
import {
  EmbedResponseSchema,
  RetrieveResponseSchema,
  StreamCompleteResponseSchema,
} from "../../../gen/sluice/v1/pipeline_service_pb.ts";
import { noBudgets } from "../../../src/core/budgets.ts";
import type { CacheFilter, CacheLayerStats } from "../../../src/core/cache.ts";
import type { CacheAdmin } from "../../../src/core/cache-admin.ts";
import type { Call } from "../../../src/core/call.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import { silentLog } from "../../../src/core/log.ts";
import type { ChatModel, ModelTarget } from "../../../src/core/model.ts";
import type { PriceBook } from "../../../src/core/money.ts";
import type { Pipeline } from "../../../src/core/pipeline.ts";
import type { LoadedPrompt, PromptLibrary } from "../../../src/core/prompt.ts";
import type { TokenCounter } from "../../../src/core/tokens.ts";
import type { UsageStore } from "../../../src/core/usage.ts";
import type { ServicePorts } from "../../../src/rpc/routes.ts";
import { embeddingCatalog, embeddingTarget } from "../../support/embedding-models.ts";
import { MemoryCorpus } from "../../support/memory-corpus.ts";
import { catalog } from "../../support/models.ts";

/** A pipeline that answers at once with the call's id and notes the calls; single methods may be replaced. */
export function fakePipeline(replaced: Partial<Pipeline> = {}): Pipeline & { readonly calls: Call[] } {
  const calls: Call[] = [];
  const pipeline: Pipeline = {
    complete: async (call) => create(CompletionSchema, { callId: call.id, text: `for ${call.caller.tenant}` }),
    async *stream(call) {
      yield create(StreamCompleteResponseSchema, { event: { case: "started", value: { callId: call.id } } });
      yield create(StreamCompleteResponseSchema, {
        event: { case: "textDelta", value: { sequenceNumber: 1n, text: "a" } },
      });
      yield create(StreamCompleteResponseSchema, { event: { case: "finished", value: { completion: { text: "a" } } } });
    },
    explain: async () => create(ExplanationSchema, { model: "fast" }),
    embed: async (call) => create(EmbedResponseSchema, { callId: call.id }),
    retrieve: async (call) => create(RetrieveResponseSchema, { callId: call.id }),
    putDocuments: async (call) => create(PutDocumentsResponseSchema, { callId: call.id }),
    async *reembed(call) {
      yield create(ReembedCollectionResponseSchema, { callId: call.id, done: true });
    },
    ...replaced,
  };
  return {
    calls,
    complete(call, input) {
      calls.push(call);
      return pipeline.complete(call, input);
    },
    stream(call, input) {
      calls.push(call);
      return pipeline.stream(call, input);
    },
    explain(call, input) {
      calls.push(call);
      return pipeline.explain(call, input);
    },
    embed(call, request) {
      calls.push(call);
      return pipeline.embed(call, request);
    },
    retrieve(call, request) {
      calls.push(call);
      return pipeline.retrieve(call, request);
    },
    putDocuments(call, request) {
      calls.push(call);
      return pipeline.putDocuments(call, request);
    },
    reembed(call, request) {
      calls.push(call);
      return pipeline.reembed(call, request);
    },
  };
}

/** A prompt that shows its one variable, `text`, as the user's message. */
export function fakePrompt(name: string, version = "v1"): LoadedPrompt {
  return {
    name,
    version,
    contentHash: "0".repeat(64),
    description: `what ${name} does`,
    inputSchemaText: "{}",
    source: `source of ${name} ${version}`,
    usesContext: false,
    render({ value }) {
      const text: unknown = typeof value === "object" && value !== null && "text" in value ? value.text : undefined;
      if (typeof text !== "string") {
        const violation = { field: "variables.text", rule: "required", description: "value is required" };
        throw new SluiceError({ reason: "INVALID_REQUEST", violations: [violation] });
      }
      return [
        { role: "system", text: "be brief" },
        { role: "user", text },
      ];
    },
  };
}

export function fakePrompts(prompts: readonly LoadedPrompt[]): PromptLibrary {
  return {
    list: () => prompts,
    get(name, version) {
      const found = prompts.find(
        (p) => p.name === name && (version === "" || version === "latest" || p.version === version),
      );
      if (!found)
        throw new SluiceError({ reason: "UNKNOWN_PROMPT", name, version, nearest: prompts.map((p) => p.name) });
      return found;
    },
  };
}

const silentModel: ChatModel = {
  complete() {
    throw new Error("no test of the services calls a model");
  },
};

export function fakeTarget(alias: string, replaced: Partial<ModelTarget> = {}): ModelTarget {
  return {
    alias,
    provider: { id: "main" },
    providerModel: `provider-${alias}`,
    family: "openai",
    contextTokens: 1000,
    maxOutputTokens: 100,
    initialMaxTokens: 50,
    structuredOutput: "json_schema",
    streamUpstream: true,
    templateTokens: "text",
    fallbacks: [],
    timeouts: { firstByteMs: 1, idleMs: 1, attemptMs: 1 },
    limits: { maxConcurrency: 64, maxQueue: 256 },
    synthetic: false,
    description: "",
    chat: silentModel,
    ...replaced,
  };
}

/** Counts one token per character. */
export const characterCounter: TokenCounter = { count: (text) => text.length, observe() {} };

export const noPrices: PriceBook = { price: () => undefined };

export const noLayerStats: CacheLayerStats = {
  ...{ hits: 0, misses: 0, unknown: 0, stores: 0, unstored: 0 },
  lookUpMs: { p50: 0, p99: 0, max: 0 },
};

/** A cache that holds nothing, and notes what it is told to purge; single methods may be replaced. */
export function fakeCacheAdmin(
  replaced: Partial<CacheAdmin> = {},
): CacheAdmin & { readonly purged: readonly CacheFilter[] } {
  const purged: CacheFilter[] = [];
  const cache: CacheAdmin = {
    purge: async () => ({ memory: 0 }),
    stats: () => ({ memory: noLayerStats, flights: { joined: 0, taken: 0, takenOver: 0 }, savedNanoUsd: 0n }),
    ...replaced,
  };
  return {
    purged,
    stats: cache.stats,
    purge(filter, signal) {
      purged.push(filter);
      return cache.purge(filter, signal);
    },
  };
}

const notAsked = (): never => {
  throw new Error("no test of these ports asks for it");
};

const noUsage: UsageStore = { summarize: notAsked, listCalls: notAsked, getCall: notAsked };

export function fakePorts(replaced: Partial<ServicePorts> = {}): ServicePorts {
  return {
    pipeline: fakePipeline(),
    corpus: new MemoryCorpus(),
    prompts: fakePrompts([fakePrompt("alpha"), fakePrompt("beta")]),
    models: catalog(fakeTarget("fast")),
    embeddingModels: embeddingCatalog(embeddingTarget()),
    counter: characterCounter,
    prices: noPrices,
    states: { state: () => undefined },
    cache: fakeCacheAdmin(),
    usage: noUsage,
    backlog: () => ({ pendingRecords: 0 }),
    estimator: { estimate: notAsked },
    budgets: noBudgets(),
    clock: systemClock,
    version: "1.2.3",
    startedAtMs: 1_700_000_000_000,
    log: silentLog,
    ...replaced,
  };
}
