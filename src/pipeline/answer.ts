import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import { RestartCause } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { ModelTarget } from "../core/model.ts";
import { shownExampleOf } from "./build-context/parts.ts";
import { type CachePolicy, type CachePorts, store } from "./cache.ts";
import {
  type CallModelPorts,
  callModel,
  type Judge,
  type ModelAnswer,
  type ModelJob,
  type ModelStep,
} from "./call-model.ts";
import { assembleCompletion } from "./completion.ts";
import { judge } from "./judge.ts";

export interface AnswerPorts extends CallModelPorts {
  readonly cache: CachePorts;
}

/** What the work of a call sends to everyone who waits for it. */
export type AnswerEvent =
  | Exclude<ModelStep, { kind: "answered" }>
  /** Once, last. */
  | {
      readonly kind: "completed";
      readonly completion: Completion;
      readonly target: ModelTarget;
      /** Whether the same request would be answered so again; else what was dropped is this answer's own. */
      readonly isAsAsked: boolean;
      readonly timings: readonly (readonly [typeof Stage.CALL_MODEL | typeof Stage.PARSE, number])[];
    };

/**
 * Makes an answer: call model → parse → store cache. Ends with exactly one `completed`, or throws.
 * The deltas since the last restart, joined, are the completion's text.
 */
export async function* makeAnswer(
  ports: AnswerPorts,
  job: ModelJob & { readonly key: string; readonly policy: CachePolicy },
): AsyncGenerator<AnswerEvent, void, undefined> {
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
    if (job.policy.mayWrite && isGood(answer)) await store(ports.cache, job.key, completion, job.policy.ttlMs);
    yield {
      kind: "completed",
      completion,
      target: answer.target,
      isAsAsked: answer.isAsAsked,
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

/** Only whole answers of the model that was asked for, or escalates to, are stored; bad ones never get here. */
function isGood(answer: ModelAnswer): boolean {
  return answer.finish === "stop" && answer.isAsAsked;
}

/** What was sent is not the validated value: it had prose around it, or needed a repair. */
function* replaceText(sent: string, text: string, target: ModelTarget): Generator<AnswerEvent> {
  if (sent) yield { kind: "restarted", cause: RestartCause.REPAIR, target };
  if (text) yield { kind: "delta", text, target };
}
