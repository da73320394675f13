import { createCheckCompiler } from "../../src/adapters/cel-checks/index.ts";
import { createJsonSchemas } from "../../src/adapters/json-schema/index.ts";
import { createMemoryCache } from "../../src/adapters/memory-cache.ts";
import { loadBuiltinPrompts } from "../../src/adapters/prompt-files/index.ts";
import { type Budgets, noBudgets } from "../../src/core/budgets.ts";
import type { Call } from "../../src/core/call.ts";
import type { Clock } from "../../src/core/clock.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { LedgerRecord } from "../../src/core/ledger.ts";
import type { LogFields } from "../../src/core/log.ts";
import type { ModelTarget } from "../../src/core/model.ts";
import type { Price, PriceBook } from "../../src/core/money.ts";
import type { PromptLibrary } from "../../src/core/prompt.ts";
import type { TokenCounter } from "../../src/core/tokens.ts";
import { ActiveCalls } from "../../src/pipeline/active-calls.ts";
import { CacheTally } from "../../src/pipeline/cache-tally.ts";
import { RefusedModes } from "../../src/pipeline/call-model/refused-modes.ts";
import type { CompletePorts } from "../../src/pipeline/complete.ts";
import { EmbedBatches } from "../../src/pipeline/embed.ts";
import type { ExplainPorts } from "../../src/pipeline/explain.ts";
import { Flights } from "../../src/pipeline/flight.ts";
import { Invalidations } from "../../src/pipeline/invalidations.ts";
import { ModelGates } from "../../src/pipeline/model-gates.ts";
import type { CorpusPorts } from "../../src/pipeline/put-documents.ts";
import { fakeClock } from "./clock.ts";
import { catalog } from "./models.ts";

export const jsonSchemas = createJsonSchemas();
export const checkCompiler = createCheckCompiler();
export const builtinPrompts = loadBuiltinPrompts(jsonSchemas);

/** One token a word: counts that a reader of a test can do in the head. */
export const wordCounter: TokenCounter = {
  count: (text) => text.split(/\s+/).filter(Boolean).length,
  observe() {},
};

export const noPrompts: PromptLibrary = {
  get(name, version) {
    throw new SluiceError({ reason: "UNKNOWN_PROMPT", name, version, nearest: [] });
  },
  list: () => [],
};

/** One nano-USD for a prompt token, two for a completion token. */
export const testPrice: Price = {
  promptNanoUsdPerMillionTokens: 1_000_000n,
  cachedPromptNanoUsdPerMillionTokens: 500_000n,
  completionNanoUsdPerMillionTokens: 2_000_000n,
  version: "test",
};

export interface TestPorts extends CompletePorts, ExplainPorts, CorpusPorts {
  readonly gates: ModelGates;
  readonly records: LedgerRecord[];
  readonly lines: { readonly event: string; readonly fields: LogFields }[];
}

const unasked = () => {
  throw new Error("no test of these ports retrieves anything");
};

/** What no test without a retrieval asks. */
const noRetrieval: Pick<TestPorts, "corpus" | "documents" | "embeddingModels" | "vectors" | "vectorTtlMs"> = {
  corpus: {
    collection: unasked,
    collections: unasked,
    ensureCollection: unasked,
    summaries: unasked,
    putDocument: unasked,
    document: unasked,
    documents: unasked,
    deleteDocuments: unasked,
    deleteCollection: unasked,
    search: unasked,
    reembedBatch: unasked,
    storeReembedded: unasked,
    finishReembedding: unasked,
  },
  documents: { read: unasked },
  embeddingModels: { defaultAlias: "", resolve: unasked, list: () => [] },
  vectors: { get: async (keys) => keys.map(() => undefined), set() {} },
  vectorTtlMs: 60_000,
};

/** Everything the pipeline needs, real where it is cheap; what it wrote is in `records` and `lines`. */
export function pipelinePorts(
  targets: readonly ModelTarget[],
  options: {
    clock?: Clock;
    price?: Price | null;
    maxAttempts?: number;
    maxCorrections?: number;
    prompts?: PromptLibrary;
    refuse?: () => boolean;
    budgets?: Budgets;
  } = {},
): TestPorts {
  const clock = options.clock ?? fakeClock();
  const records: LedgerRecord[] = [];
  const lines: { event: string; fields: LogFields }[] = [];
  const line = (event: string, fields: LogFields = {}) => void lines.push({ event, fields });
  const log = { isEnabled: () => true, debug: line, info: line, warn: line, error: line };
  const prices: PriceBook = { price: () => (options.price === null ? undefined : (options.price ?? testPrice)) };
  const ports: Omit<TestPorts, "embedBatches"> = {
    records,
    lines,
    clock,
    prices,
    budgets: options.budgets ?? noBudgets(),
    log,
    gates: new ModelGates({ clock, log }),
    refusedModes: new RefusedModes(clock),
    counter: wordCounter,
    builtins: builtinPrompts,
    schemas: jsonSchemas,
    checks: checkCompiler,
    prompts: options.prompts ?? noPrompts,
    models: catalog(...targets),
    retry: {
      maxAttempts: options.maxAttempts ?? 4,
      maxCorrections: options.maxCorrections ?? 2,
      backoffBaseMs: 200,
      backoffMaxMs: 8000,
      maxWaitMs: 30_000,
    },
    cache: {
      memory: createMemoryCache({ maxBytes: 1 << 20, clock }),
      invalidations: new Invalidations(clock),
      tally: new CacheTally(),
      defaultTtlMs: 60_000,
    },
    idempotency: {
      begin: async () => {
        throw new Error("no test of these ports has an idempotency key");
      },
    },
    ...noRetrieval,
    flights: new Flights(),
    activeCalls: new ActiveCalls(),
    inputHashKey: new Uint8Array(32),
    ledger: {
      async record(record) {
        if (record.type === "attempt_started" && options.refuse?.()) {
          throw new SluiceError({
            reason: "STORE_UNAVAILABLE",
            resource: "ledger_spool",
            limit: 1,
            retryAfterMs: 1000,
          });
        }
        records.push(record);
      },
    },
  };
  return { ...ports, embedBatches: new EmbedBatches({ ...ports, coalesceMs: 0 }) };
}

/** A call of tenant `acme` with a minute left, and the means to end it early. */
export function testCall(fields: Partial<Call> = {}): Call & { leave(): void } {
  const controller = new AbortController();
  return {
    id: "0198c5a0-0000-7000-8000-000000000001",
    caller: { tenant: "acme", keyId: "test", isAdmin: false },
    method: "Complete",
    deadline: { remainingMs: () => 60_000 },
    signal: controller.signal,
    leave: () => controller.abort(new Error("the caller left")),
    ...fields,
  };
}
