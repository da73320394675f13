import type { CacheStatus, Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import { RestartCause } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { CacheEntry, CacheTags } from "../core/cache.ts";
import type { Call } from "../core/call.ts";
import type { ModelTarget } from "../core/model.ts";
import { shownExampleOf } from "./build-context/parts.ts";
import type { BuiltContext } from "./build-context.ts";
import { type CachePolicy, type CachePorts, keepNear, store } from "./cache.ts";
import { type CallModelPorts, callModel, type Judge, type ModelJob, type ModelStep } from "./call-model.ts";
import { assembleCompletion } from "./completion.ts";
import { judge } from "./judge.ts";
import { type Turn, takeTurn } from "./shared-flight.ts";

export interface AnswerPorts extends CallModelPorts {
  readonly cache: CachePorts;
}

/** What a call asks, and how it uses the cache. */
export interface AnswerJob extends ModelJob {
  readonly key: string;
  readonly policy: CachePolicy;
  /** As of `CacheMiss`. */
  readonly sharedIsUp: boolean;
}

/** What the work of a call sends to everyone who waits for it. */
export type AnswerEvent =
  | Exclude<ModelStep, { kind: "answered" }>
  /** Once, instead of all others: another process made the answer. */
  | { readonly kind: "taken"; readonly entry: CacheEntry; readonly status: CacheStatus }
  /** Once, last. */
  | {
      readonly kind: "completed";
      readonly completion: Completion;
      readonly target: ModelTarget;
      /** Whether the same request would be answered so again; else what was dropped is this answer's own. */
      readonly isAsAsked: boolean;
      /** Whether it may answer others: only whole answers of the model that was asked for, or escalates to. */
      readonly isGood: boolean;
      readonly timings: readonly (readonly [typeof Stage.CALL_MODEL | typeof Stage.PARSE, number])[];
    };

/**
 * Makes an answer: take the lead → call model → parse → store cache. Ends with exactly one `completed` or `taken`, or
 * throws. The deltas since the last restart, joined, are the completion's text.
 */
export async function* makeAnswer(ports: AnswerPorts, job: AnswerJob): AsyncGenerator<AnswerEvent, void, undefined> {
  const { key, policy } = job;
  const since = ports.cache.invalidations.count;
  const turn = await turnOf(ports, job);
  if (turn.kind === "taken") {
    ports.cache.tally.taken += 1;
    await keepNear(ports.cache, key, turn, since);
    yield { kind: "taken", entry: turn.entry, status: turn.status };
    return;
  }
  if (turn.isTakenOver) ports.cache.tally.takenOver += 1;
  let stored = Promise.resolve();
  try {
    for await (const event of askModels(ports, { ...job, isTakenOver: job.isTakenOver || turn.isTakenOver })) {
      if (event.kind === "completed" && event.isGood && policy.mayWrite) {
        const entry = { completion: event.completion, tags: tagsOf(job.call, job.context, event.completion.model) };
        const how = { ttlMs: policy.ttlMs, since, isRefresh: !policy.mayRead };
        stored = (await store(ports.cache, key, entry, how)).shared.catch((error: unknown) => {
          ports.log.error("cache_store_failed", { call_id: job.call.id, error });
        });
      }
      yield event;
    }
  } finally {
    // Those who follow look for the answer when the lease is gone.
    const { lease } = turn;
    if (lease) void stored.then(() => lease.release());
  }
}

function turnOf(ports: AnswerPorts, job: AnswerJob): Promise<Turn> | Turn {
  const { shared } = ports.cache;
  if (!shared || !job.policy.mayJoin || !job.sharedIsUp) return { kind: "lead", isTakenOver: false };
  return takeTurn({ shared, clock: ports.clock, log: ports.log }, job.key, job);
}

/** What is kept of a request is purged by these. @param answeredBy the alias, once there is an answer. */
export function tagsOf(call: Call, { draft: { prompt }, target }: BuiltContext, answeredBy = target.alias): CacheTags {
  return {
    tenant: call.caller.tenant,
    promptName: prompt?.name ?? "",
    promptVersion: prompt?.version ?? "",
    models: [...new Set([target.alias, answeredBy])],
  };
}

async function* askModels(
  ports: AnswerPorts,
  job: ModelJob,
): AsyncGenerator<Exclude<AnswerEvent, { kind: "taken" }>, void, undefined> {
  const { output, variables, said } = job.context.draft;
  const startedMs = ports.clock.monotonicMs();
  let parseMs = 0;
  const judgeTimed: Judge = (answer, { fitted }) => {
    const calledMs = ports.clock.monotonicMs();
    const verdict = judge(
      answer,
      output,
      { input: variables, said, chunks: fitted.chunks },
      shownExampleOf(output, fitted.output),
    );
    parseMs += ports.clock.monotonicMs() - calledMs;
    return verdict;
  };
  // White space around JSON is no part of the value; sent, it would make the deltas differ from it.
  const sieve = output.kind === "json" ? trimming() : asIs;
  let sent = "";
  // Told with what replaces the void deltas: only then it is sure who answers.
  let restart: Extract<AnswerEvent, { kind: "restarted" }> | undefined;
  for await (const step of callModel(ports, job, judgeTimed)) {
    if (step.kind === "restarted") {
      if (sent || restart) restart = step;
      sent = "";
      continue;
    }
    if (step.kind === "delta") {
      const text = sieve(step.text, sent === "");
      if (!text) continue;
      sent += text;
      if (restart) yield restart;
      restart = undefined;
      yield { ...step, text };
      continue;
    }
    if (step.kind === "waiting") {
      yield step;
      continue;
    }
    const { answer } = step;
    if (restart) yield restart;
    const answeredMs = ports.clock.monotonicMs();
    const { text } = answer.good;
    if (text !== sent) yield* replaceText(sent, text, answer.target);
    const completion = assembleCompletion(answer, job.context, job.charges.total());
    yield {
      kind: "completed",
      completion,
      target: answer.target,
      isAsAsked: answer.isAsAsked,
      isGood: answer.finish === "stop" && answer.isAsAsked,
      timings: [
        [Stage.CALL_MODEL, answeredMs - startedMs - parseMs],
        [Stage.PARSE, parseMs],
      ],
    };
  }
}

const asIs = (text: string) => text;

/** Holds white space back until something follows it, and drops what leads. */
function trimming(): (text: string, isFirst: boolean) => string {
  let held = "";
  return (text, isFirst) => {
    const all = isFirst ? text.trimStart() : held + text;
    const kept = all.trimEnd();
    held = all.slice(kept.length);
    return kept;
  };
}

/** What was sent is not the validated value: it had prose around it, or needed a repair. */
function* replaceText(
  sent: string,
  text: string,
  target: ModelTarget,
): Generator<Exclude<AnswerEvent, { kind: "taken" }>> {
  if (sent) yield { kind: "restarted", cause: RestartCause.REPAIR, target };
  if (text) yield { kind: "delta", text, target };
}
