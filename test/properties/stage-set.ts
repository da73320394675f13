import { getEventListeners } from "node:events";
import type { MemoryCache } from "../../src/core/cache.ts";
import type { LedgerRecord } from "../../src/core/ledger.ts";
import type { ModelRequest, ModelTarget } from "../../src/core/model.ts";
import type { LoadedPrompt, PromptLibrary } from "../../src/core/prompt.ts";
import { seeded } from "../pipeline/parse/random.ts";
import { target } from "../support/models.ts";
import { pipelinePorts, type TestPorts } from "../support/pipeline-ports.ts";
import { SharedStore } from "../support/shared-cache.ts";
import { wrappedMemory } from "../support/wrapped-memory.ts";
import type { CacheWrite, Moment, SeenCaller, UpstreamAttempt } from "./observation.ts";
import type { CallerPlan, ModelPlan, Plan, QuestionPlan } from "./plan.ts";
import { scriptedProvider } from "./scripted-provider.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A prompt that shows its one variable. */
export const askPrompt: LoadedPrompt = {
  name: "ask",
  version: "v1",
  contentHash: "0".repeat(64),
  description: "",
  inputSchemaText: "{}",
  source: "",
  usesContext: false,
  render: ({ spelled }) => [{ role: "user", text: JSON.stringify(spelled) }],
};

const prompts: PromptLibrary = { get: () => askPrompt, list: () => [askPrompt] };

/** How long stored answers live in a run. */
export const CACHE_TTL_MS = 3_600_000;

/** What is gathered while a run is played. */
export interface Seen {
  readonly attempts: UpstreamAttempt[];
  readonly callers: SeenCaller[];
  readonly records: { readonly record: LedgerRecord; readonly at: Moment }[];
  readonly writes: CacheWrite[];
  readonly lines: TestPorts["lines"];
}

/** The pipeline's surroundings in one run. */
export interface StageSet {
  readonly clock: VirtualClock;
  readonly ports: TestPorts;
  readonly seen: Seen;
  question(caller: CallerPlan): QuestionPlan;
  /** What should be gone when every call has ended. */
  leftovers(): string[];
}

export function setStage(plan: Plan): StageSet {
  const clock = new VirtualClock(seeded(plan.seed + 1_000_003));
  const now = (): Moment => ({ ms: clock.monotonicMs(), order: clock.tick() });
  const targets = plan.models.map((model) => targetOf(model, (request) => open(model, request), clock));
  const price = plan.hasPrices ? undefined : null;
  const plain = pipelinePorts(targets, { clock, price, prompts });
  const seen: Seen = { attempts: [], callers: [], records: [], writes: [], lines: plain.lines };
  const open = (model: ModelPlan, request: ModelRequest) => openAttempt(seen, now(), model, request);
  const ports: TestPorts = {
    ...plain,
    retry: { ...plain.retry, ...plan.retry },
    cache: {
      ...plain.cache,
      memory: watched(plain.cache.memory, seen.writes, now),
      shared: plan.hasSharedCache ? sharedStore(clock, plan.sharedCacheMs).process() : undefined,
      defaultTtlMs: CACHE_TTL_MS,
    },
    ledger: {
      async record(record) {
        if (plan.ledgerMs > 0) await clock.pause(plan.ledgerMs);
        await plain.ledger.record(record);
        seen.records.push({ record, at: now() });
      },
    },
  };
  return {
    clock,
    ports,
    seen,
    question: ({ question }) => plan.questions[question] ?? unknownQuestion(question),
    leftovers: () => leftovers(clock, ports, seen),
  };
}

function unknownQuestion(number: number): never {
  throw new RangeError(`there is no question ${number}`);
}

function targetOf(
  model: ModelPlan,
  open: (request: ModelRequest) => UpstreamAttempt,
  clock: VirtualClock,
): ReturnType<typeof target> {
  const { alias, fallbacks, escalateTo, contextTokens, maxOutputTokens, structuredOutput, synthetic } = model;
  return target({
    alias,
    provider: { id: model.provider, baseUrl: `http://${model.provider}.test/v1` },
    providerModel: `${alias}-1`,
    fallbacks,
    escalateTo,
    contextTokens,
    maxOutputTokens,
    initialMaxTokens: Math.min(100, maxOutputTokens),
    structuredOutput,
    synthetic,
    limits: { maxConcurrency: model.maxConcurrency, maxQueue: model.maxQueue },
    chat: scriptedProvider(clock, model, (_model, request) => open(request)),
  });
}

function openAttempt(seen: Seen, begun: Moment, model: ModelPlan, request: ModelRequest): UpstreamAttempt {
  const caller = seen.callers.find((candidate) => candidate.id === request.callId);
  const before = seen.attempts.filter((attempt) => attempt.model === model);
  const outcome = model.outcomes[before.length % model.outcomes.length];
  if (!caller || !outcome) throw new Error(`nobody with the id ${request.callId} has called`);
  const attempt: UpstreamAttempt = {
    request,
    model,
    outcome,
    caller,
    begun,
    openWithIt: before.filter((other) => !other.over).length + 1,
    wasWanted: seen.callers.some((candidate) => isWaitingWith(candidate, caller)),
    wasRecorded: seen.records.some(
      ({ record }) =>
        record.type === "attempt_started" && record.call_id === request.callId && record.attempt === request.attempt,
    ),
    text: "",
    isClosed: false,
  };
  seen.attempts.push(attempt);
  return attempt;
}

/** Whether a caller still waits for the answer to the same question. */
export function isWaitingWith(candidate: SeenCaller, caller: SeenCaller): boolean {
  const isSame = candidate.plan.question === caller.plan.question && candidate.plan.tenant === caller.plan.tenant;
  return isSame && !candidate.settled && !candidate.aborted;
}

function watched(cache: MemoryCache, writes: CacheWrite[], now: () => Moment): MemoryCache {
  return wrappedMemory(cache, {
    set(key, entry, ttlMs) {
      writes.push({ key, completion: entry.completion, at: now() });
      return cache.set(key, entry, ttlMs);
    },
  });
}

/** A layer that other processes would share, and that takes its time. */
function sharedStore(clock: VirtualClock, delayMs: number): SharedStore {
  return new SharedStore(clock, async () => {
    if (delayMs > 0) await clock.pause(delayMs);
  });
}

function leftovers(clock: VirtualClock, ports: TestPorts, seen: Seen): string[] {
  const open = seen.attempts.filter((attempt) => !attempt.isClosed);
  const heard = seen.callers.filter(({ signal }) => !signal.aborted && getEventListeners(signal, "abort").length > 0);
  return [
    ...heard.map(({ id }) => `something that listens to the signal of ${id}`),
    ...clock.pendingSleeps().map(({ delayMs, begunMs }) => `a sleep of ${delayMs} ms, begun at ${begunMs} ms`),
    ...open.map(({ request }) => `an open request of ${request.callId}`),
    ...ports.models.list().flatMap((model) => heldSlots(ports, model)),
    ...(ports.flights.size > 0 ? [`${ports.flights.size} open flights`] : []),
  ];
}

function heldSlots({ gates }: TestPorts, model: ModelTarget): string[] {
  const state = gates.state(model);
  if (!state || state.inFlight + state.queued === 0) return [];
  return [`${state.inFlight} slots and ${state.queued} places in the queue of ${model.alias}`];
}
