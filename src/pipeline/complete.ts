import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { RestartCause } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../core/call.ts";
import { SluiceError } from "../core/failure.ts";
import type { ModelTarget } from "../core/model.ts";
import type { LoadedPrompt } from "../core/prompt.ts";
import { type AnswerEvent, type AnswerPorts, makeAnswer } from "./answer.ts";
import { type BuildContextPorts, type BuiltContext, buildContext } from "./build-context.ts";
import { type CacheHit, type CachePolicy, cachePolicy, lookUp } from "./cache.ts";
import { contentKey } from "./cache-key.ts";
import { type ChargePorts, Charges } from "./charge.ts";
import { forCaller, unpaid } from "./completion.ts";
import type { Flights } from "./flight.ts";
import { inPieces } from "./replay.ts";
import { CallReport, type ReportPorts } from "./report.ts";
import { validate } from "./validate.ts";

export interface CompletePorts extends BuildContextPorts, AnswerPorts, ChargePorts, ReportPorts {
  readonly flights: Flights<AnswerEvent>;
}

/** What a caller sees of a call. The deltas since the last restart, joined, are the completion's text. */
export type CallEvent =
  /** Once, first, when there is something to show. */
  | {
      readonly kind: "started";
      readonly target: ModelTarget;
      readonly prompt?: LoadedPrompt;
      readonly cacheStatus: CacheStatus;
    }
  | { readonly kind: "delta"; readonly text: string }
  /** All deltas so far are void. */
  | { readonly kind: "restarted"; readonly cause: RestartCause; readonly target: ModelTarget }
  /** Once, last. */
  | { readonly kind: "finished"; readonly completion: Completion };

/**
 * The path of a request:
 *
 *     validate → build context → look up cache → call model → parse → store cache → charge, report
 *
 * Ends with exactly one `finished`, or throws. Either way one ledger row and one log line say so before the caller
 * learns of it.
 */
export async function* runCall(
  ports: CompletePorts,
  call: Call,
  input: CompletionInput | undefined,
): AsyncGenerator<CallEvent, void, undefined> {
  const report = new CallReport(ports, call, input);
  const { trace } = report;
  try {
    const valid = trace.run(Stage.VALIDATE, () => validate(ports, input));
    const context = trace.run(Stage.BUILD_CONTEXT, () => buildContext(ports, valid));
    const { key } = contentKey(call.caller.tenant, context);
    report.context = context;
    report.contentKey = key;
    const policy = cachePolicy(valid.input.cache, ports.cache.defaultTtlMs);
    const hit = policy.mayRead ? await trace.await(Stage.CACHE, () => lookUp(ports.cache, key)) : undefined;
    if (!hit && policy.onlyIfCached) throw new SluiceError({ reason: "CACHE_MISS", key });
    const answer = hit ? replay(hit, context) : answerOrJoin(ports, { call, context, key, policy, report });
    for await (const event of answer) {
      trace.firstToken();
      if (event.kind !== "finished") {
        yield event;
        continue;
      }
      const completion = forCaller(event.completion, call, trace.timings());
      await report.finished(completion);
      yield { kind: "finished", completion };
    }
  } catch (error) {
    throw await report.failed(error);
  } finally {
    await report.abandoned();
  }
}

/** A cached answer, in pieces like a live one. */
function* replay(hit: CacheHit, { target, draft }: BuiltContext): Generator<CallEvent> {
  yield { kind: "started", target, prompt: draft.prompt, cacheStatus: hit.status };
  for (const text of inPieces(hit.completion.text)) yield { kind: "delta", text };
  yield { kind: "finished", completion: unpaid(hit.completion, hit.status) };
}

interface Question {
  readonly call: Call;
  readonly context: BuiltContext;
  readonly key: string;
  readonly policy: CachePolicy;
  readonly report: CallReport;
}

/** Joins an identical call that is under way, or makes the answer for whoever joins later. Only the maker pays. */
async function* answerOrJoin(ports: CompletePorts, question: Question): AsyncGenerator<CallEvent, void, undefined> {
  const { call, context, key, policy, report } = question;
  const underWay = policy.mayJoin ? ports.flights.find(key) : undefined;
  const cacheStatus = underWay ? CacheStatus.JOINED : policy.mayWrite ? CacheStatus.MISS : CacheStatus.BYPASSED;
  const flight = underWay ?? ports.flights.start(policy.mayJoin ? key : undefined, startWork(ports, question));
  const leaveStage = report.trace.begin(underWay ? Stage.CACHE : Stage.CALL_MODEL);
  let started = false;
  try {
    for await (const event of flight.follow(call.deadline, call.signal)) {
      if (!started) yield { kind: "started", target: event.target, prompt: context.draft.prompt, cacheStatus };
      started = true;
      if (event.kind !== "completed") {
        yield event;
        continue;
      }
      leaveStage();
      if (!underWay) for (const [stage, ms] of event.timings) report.trace.set(stage, ms);
      const completion = underWay ? unpaid(event.completion, cacheStatus) : event.completion;
      yield { kind: "finished", completion: { ...completion, cacheStatus } };
    }
  } finally {
    // What was spent on work that this caller's leaving ended is known only when it has stopped.
    if (!underWay) await flight.settled();
  }
}

function startWork(ports: CompletePorts, question: Question) {
  const { call, context, key, policy, report } = question;
  const charges = new Charges(ports, report.payer);
  report.charges = charges;
  return (signal: AbortSignal, deadline: Call["deadline"]) =>
    makeAnswer(ports, { call, context, key, policy, charges, signal, deadline });
}
