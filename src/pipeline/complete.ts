import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { BuiltRequest } from "../core/cache.ts";
import type { Call } from "../core/call.ts";
import { SluiceError } from "../core/failure.ts";
import type { IdempotentCalls, IdempotentTurn } from "../core/idempotency.ts";
import { type AnswerEvent, type AnswerPorts, makeAnswer } from "./answer.ts";
import {
  type BuildContextPorts,
  type BuiltContext,
  type DraftedContext,
  draftContext,
  fitContext,
} from "./build-context.ts";
import { type CachePolicy, cachePolicy, lookUp } from "./cache.ts";
import { NO_CORPUS, requestKey } from "./cache-key/request-key.ts";
import { contentKey } from "./cache-key.ts";
import { type Asked, asksForJson, type CallEvent, join, pay, repeat, replay } from "./call-events.ts";
import { type ChargePorts, Charges } from "./charge.ts";
import { forCaller } from "./completion.ts";
import type { Flight, Flights } from "./flight.ts";
import { beginOnce, outcomeOf } from "./idempotency.ts";
import { CallReport, type ReportPorts } from "./report.ts";
import { type ValidatePorts, type ValidInput, validate } from "./validate.ts";

export interface CompletePorts extends ValidatePorts, BuildContextPorts, AnswerPorts, ChargePorts, ReportPorts {
  readonly flights: Flights<AnswerEvent>;
  readonly idempotency: IdempotentCalls;
}

/**
 * The path of a request:
 *
 *     validate → build context → look up cache → call model → parse → store cache → charge, report
 *
 * Ends with exactly one `finished`, or throws. Either way one ledger row and one log line say so before the caller
 * learns of it, and the outcome is kept for those who repeat the call with its idempotency key.
 */
export async function* runCall(
  ports: CompletePorts,
  call: Call,
  input: CompletionInput | undefined,
): AsyncGenerator<CallEvent, void, undefined> {
  const report = new CallReport(ports, call);
  const { trace } = report;
  let once: IdempotentTurn | undefined;
  try {
    const valid = trace.run(Stage.VALIDATE, () => validate(ports, input));
    report.attribution = valid.input.attribution;
    const hasKey = valid.input.idempotencyKey !== "";
    const earlier = hasKey ? await trace.await(Stage.CACHE, () => beginOnce(ports, call, valid.input)) : undefined;
    if (earlier?.kind === "failure") throw new SluiceError(earlier.failure);
    if (earlier?.kind === "turn") once = earlier;
    const answer: Events =
      earlier?.kind === "completion"
        ? repeat(earlier.completion, asksForJson(ports.prompts, valid))
        : await answerTo(ports, { call, valid, report, isTakenOver: once?.isTakenOver ?? false });
    for await (const event of answer) {
      trace.firstToken();
      if (event.kind !== "finished") {
        yield event;
        continue;
      }
      const completion = forCaller(event.completion, call, trace.timings());
      await once?.keep({ kind: "completion", completion });
      once = undefined;
      ports.cache.tally.savedNanoUsd += completion.savedNanoUsd ?? 0n;
      await report.finished(completion);
      yield { kind: "finished", completion };
    }
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome) await once?.keep(outcome);
    if (outcome) once = undefined;
    throw await report.failed(error);
  } finally {
    await once?.release();
    await report.abandoned();
  }
}

type Events = AsyncIterable<CallEvent> | Iterable<CallEvent>;

interface Request {
  readonly call: Call;
  readonly valid: ValidInput;
  readonly report: CallReport;
  /** Whether an earlier call with the same idempotency key went away without an outcome. */
  readonly isTakenOver: boolean;
}

/** The answer from the cache, or from an identical call that is under way, or else a new one. */
async function answerTo(ports: CompletePorts, request: Request): Promise<Events> {
  const { call, valid, report } = request;
  const { trace } = report;
  const { tenant } = call.caller;
  const drafted = trace.run(Stage.BUILD_CONTEXT, () => draftContext(ports, valid));
  const policy = cachePolicy(valid.input.cache, ports.cache.defaultTtlMs);
  const { requests } = ports.cache.memory;
  const { key: builtBefore } = requestKey(tenant, drafted, NO_CORPUS);
  const known = policy.mayRead ? requests.get(builtBefore) : undefined;
  const find = (built: BuiltRequest) =>
    trace.await(Stage.CACHE, () => findAnswer(ports, policy, { call, report, drafted, built }));
  // A request that was built before is not built again where its answer is at hand.
  const near = known && (await find(known));
  if (near?.answer) return near.answer;

  const build = (): BuiltContext => fitContext(ports, valid, drafted);
  const context = trace.run(Stage.BUILD_CONTEXT, build);
  const built: BuiltRequest = { contentKey: contentKey(tenant, context).key, dropped: context.fitted.dropped };
  requests.set(builtBefore, built);
  const found = near && known?.contentKey === built.contentKey ? near : policy.mayRead ? await find(built) : undefined;
  if (found?.answer) return found.answer;
  return makeNew(ports, { ...request, drafted, built, context, policy, sharedAnswers: found?.sharedAnswers ?? false });
}

interface Found {
  readonly answer?: Events;
  readonly sharedAnswers: boolean;
}

async function findAnswer(ports: CompletePorts, policy: CachePolicy, asked: Asked): Promise<Found> {
  const { call, report, drafted, built } = asked;
  const key = built.contentKey;
  report.asked = { ...drafted, key };
  const found = await lookUp(ports.cache, key, () => (policy.mayJoin ? ports.flights.find(key) : undefined));
  if ("entry" in found) return { answer: replay(found.entry, found.status, asked), sharedAnswers: true };
  // The caller may have left meanwhile: nothing is begun for it.
  call.signal.throwIfAborted();
  if ("flight" in found) return { answer: joinIn(ports, found.flight, asked), sharedAnswers: true };
  return found;
}

function joinIn(ports: CompletePorts, flight: Flight<AnswerEvent>, asked: Asked): Events {
  ports.cache.tally.joined += 1;
  return join(flight, asked);
}

interface NewAnswer extends Request {
  readonly drafted: DraftedContext;
  readonly built: BuiltRequest;
  readonly context: BuiltContext;
  readonly policy: CachePolicy;
  readonly sharedAnswers: boolean;
}

/** Makes the answer, for whoever joins later too. */
function makeNew(ports: CompletePorts, question: NewAnswer): Events {
  const { call, context, built, policy, report, sharedAnswers, isTakenOver } = question;
  const key = built.contentKey;
  report.asked = { ...question.drafted, key };
  // Another call may have started since the look-up; from here to the start of our own nothing is awaited.
  const underWay = policy.mayJoin ? ports.flights.find(key) : undefined;
  if (underWay) return joinIn(ports, underWay, question);
  if (policy.onlyIfCached) throw new SluiceError({ reason: "CACHE_MISS", key });
  const charges = new Charges(ports, report.payer);
  report.charges = charges;
  const job = { call, context, key, policy, charges, sharedAnswers, isTakenOver };
  const flight = ports.flights.start(policy.mayJoin ? key : undefined, (signal, { longest, shortest }) =>
    makeAnswer(ports, { ...job, signal, deadline: longest, shortestDeadline: shortest }),
  );
  void flight.ended.then(() => report.workLost(flight.lostError));
  return pay(flight, question, policy.mayWrite ? CacheStatus.MISS : CacheStatus.BYPASSED);
}
