import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { RestartCause } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../core/call.ts";
import { SluiceError } from "../core/failure.ts";
import type { ModelTarget } from "../core/model.ts";
import type { LoadedPrompt } from "../core/prompt.ts";
import { type AnswerEvent, type AnswerPorts, makeAnswer } from "./answer.ts";
import type { DraftOutput } from "./build-context/draft.ts";
import { type BuildContextPorts, type BuiltContext, buildContext } from "./build-context.ts";
import { type CacheHit, type CachePolicy, cachePolicy, lookUp } from "./cache.ts";
import { contentKey } from "./cache-key.ts";
import { type ChargePorts, Charges } from "./charge.ts";
import { forCaller, unpaid } from "./completion.ts";
import type { Flight, Flights } from "./flight.ts";
import { CallReport, type ReportPorts } from "./report.ts";
import { type ValidatePorts, validate } from "./validate.ts";

export interface CompletePorts extends ValidatePorts, BuildContextPorts, AnswerPorts, ChargePorts, ReportPorts {
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
      readonly output: DraftOutput["kind"];
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
  const report = new CallReport(ports, call);
  const { trace } = report;
  try {
    const valid = trace.run(Stage.VALIDATE, () => validate(ports, input));
    report.attribution = valid.input.attribution;
    const context = trace.run(Stage.BUILD_CONTEXT, () => buildContext(ports, valid));
    const { key } = contentKey(call.caller.tenant, context);
    report.asked = { context, key };
    const policy = cachePolicy(valid.input.cache, ports.cache.defaultTtlMs);
    const question = { call, context, key, policy, report };
    const answer = policy.mayRead
      ? await trace.await(Stage.CACHE, () => findOrMake(ports, question))
      : makeNew(ports, question);
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

interface Question {
  readonly call: Call;
  readonly context: BuiltContext;
  readonly key: string;
  readonly policy: CachePolicy;
  readonly report: CallReport;
}

type Events = AsyncIterable<CallEvent> | Iterable<CallEvent>;

/** The answer from the cache, or from an identical call that is under way, or else a new one. */
async function findOrMake(ports: CompletePorts, question: Question): Promise<Events> {
  const { key, policy, context } = question;
  const found = await lookUp(ports.cache, key, () => (policy.mayJoin ? ports.flights.find(key) : undefined));
  if (found && "completion" in found) return replay(found, context);
  // The caller may have left meanwhile: nothing is begun for it.
  question.call.signal.throwIfAborted();
  // Between the look-up and now another call may have started; from here to the start of our own nothing is awaited.
  const flight = found?.flight ?? (policy.mayJoin ? ports.flights.find(key) : undefined);
  if (flight) return join(flight, question);
  if (policy.onlyIfCached) throw new SluiceError({ reason: "CACHE_MISS", key });
  return makeNew(ports, question);
}

function* replay(hit: CacheHit, context: BuiltContext): Generator<CallEvent> {
  const { target, draft } = context;
  yield { kind: "started", target, prompt: draft.prompt, cacheStatus: hit.status, output: draft.output.kind };
  yield { kind: "delta", text: hit.completion.text };
  yield { kind: "finished", completion: unpaid({ ...hit, isAsAsked: true }, hit.status, context) };
}

/** Waits with others for an answer that one of them pays. */
async function* join(flight: Flight<AnswerEvent>, question: Question): AsyncGenerator<CallEvent, void, undefined> {
  for await (const event of followed(flight, question, CacheStatus.JOINED)) {
    if (event.kind !== "finished") yield event;
    else yield { ...event, completion: unpaid(event, CacheStatus.JOINED, question.context) };
  }
}

/** Makes the answer, for whoever joins later too. */
function makeNew(ports: CompletePorts, question: Question): AsyncIterable<CallEvent> {
  const { call, context, key, policy, report } = question;
  const charges = new Charges(ports, report.payer);
  report.charges = charges;
  const flight = ports.flights.start(policy.mayJoin ? key : undefined, (signal, { longest, shortest }) =>
    makeAnswer(ports, { call, context, key, policy, charges, signal, deadline: longest, shortestDeadline: shortest }),
  );
  void flight.ended.then(() => report.workLost(flight.lostError));
  return pay(flight, question);
}

async function* pay(flight: Flight<AnswerEvent>, question: Question): AsyncGenerator<CallEvent, void, undefined> {
  try {
    yield* followed(flight, question, question.policy.mayWrite ? CacheStatus.MISS : CacheStatus.BYPASSED);
  } finally {
    // The caller may leave work that goes on for others. What it costs is still this call's, and known at its end.
    if (flight.isWanted) question.report.deferUntil(flight.ended);
    else await flight.ended;
  }
}

/** What a flight sends, as its passengers see it. `isAsAsked` as of `ModelAnswer`. */
type FollowedEvent =
  | Exclude<CallEvent, { kind: "finished" }>
  | { readonly kind: "finished"; readonly completion: Completion; readonly isAsAsked: boolean };

async function* followed(
  flight: Flight<AnswerEvent>,
  { call, context, report }: Question,
  cacheStatus: CacheStatus,
): AsyncGenerator<FollowedEvent, void, undefined> {
  const { prompt, output } = context.draft;
  const leaveStage = report.trace.begin(Stage.CALL_MODEL);
  let started = false;
  try {
    for await (const event of flight.follow(call.deadline, call.signal)) {
      if (event.kind === "waiting") {
        // Others may have the time for this wait; a caller who has not is told at once.
        if (event.remainingMs() >= call.deadline.remainingMs()) throw new SluiceError(event.failure);
        continue;
      }
      if (!started) yield { kind: "started", target: event.target, prompt, cacheStatus, output: output.kind };
      started = true;
      if (event.kind !== "completed") {
        yield event;
        continue;
      }
      leaveStage();
      for (const [stage, ms] of event.timings) report.trace.set(stage, ms);
      const { isAsAsked } = event;
      yield { kind: "finished", completion: { ...event.completion, cacheStatus }, isAsAsked };
    }
  } finally {
    leaveStage();
  }
}
