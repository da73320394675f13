import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { Call } from "../core/call.ts";
import { SluiceError } from "../core/failure.ts";
import { type AnswerPorts, makeAnswer, tagsOf } from "./answer.ts";
import {
  askedAlias,
  type BuildContextPorts,
  type BuiltContext,
  type DraftedContext,
  draftContext,
  fitContext,
} from "./build-context.ts";
import { builtRequest, recall, remember } from "./built-requests.ts";
import { type CachePolicy, cachePolicy, withoutCache } from "./cache.ts";
import { requestKey } from "./cache-key/request-key.ts";
import { contentKey } from "./cache-key.ts";
import { attend, type CallEvent, type CallEvents, type Seat } from "./call-events.ts";
import { type ChargePorts, Charges } from "./charge.ts";
import { forCaller } from "./completion.ts";
import { type FindPorts, findAnswer } from "./find-answer.ts";
import { type OncePorts, once } from "./idempotency.ts";
import { CallReport, type ReportPorts } from "./report.ts";
import { type Corpus, type GroundPorts, ground, openCorpus } from "./retrieve/ground.ts";
import { type ValidatePorts, type ValidInput, validate } from "./validate.ts";

export interface CompletePorts
  extends ValidatePorts,
    BuildContextPorts,
    GroundPorts,
    FindPorts,
    AnswerPorts,
    ChargePorts,
    OncePorts,
    ReportPorts {}

/**
 * The path of a request:
 *
 *     validate → build context (retrieve) → look up cache → call model → parse → store cache → charge, report
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
    await ports.budgets.admit(report.payer);
    const answer = (by: Call, isTakenOver: boolean) => answerTo(ports, { call: by, valid, report, isTakenOver });
    const hasKey = valid.input.idempotencyKey !== "";
    // Of an answer that is repeated nothing is built.
    if (hasKey) report.askedAlias = askedAlias(ports, valid);
    const events = hasKey ? once(ports, { call, valid, report }, answer) : await answer(call, false);
    for await (const event of events) {
      trace.firstToken();
      if (event.kind !== "finished") {
        yield event;
        continue;
      }
      const completion = forCaller(event.completion, call, trace.timings());
      ports.cache.tally.savedNanoUsd += completion.savedNanoUsd ?? 0n;
      await report.finished(completion);
      yield { kind: "finished", completion };
    }
  } catch (error) {
    throw await report.failed(error);
  } finally {
    await report.abandoned();
  }
}

interface Request {
  readonly call: Call;
  readonly valid: ValidInput;
  readonly report: CallReport;
  /** Whether an earlier call with the same idempotency key went away without an outcome. */
  readonly isTakenOver: boolean;
}

/** The answer from the cache, or from an identical call that is under way, or else a new one. */
async function answerTo(ports: CompletePorts, request: Request): Promise<CallEvents> {
  const { call, valid, report } = request;
  const drafted = report.trace.run(Stage.BUILD_CONTEXT, () => draftContext(ports, valid));
  const corpus = await openCorpus(ports, request, drafted);
  const asAsked = cachePolicy(valid.input.cache, ports.cache.defaultTtlMs);
  const policy = corpus.failedWith ? withoutCache(asAsked) : asAsked;
  const question: Question = { ...request, drafted, policy, corpus };

  // A request that was built before is neither retrieved for nor built again where its answer is at hand.
  const { key } = requestKey(call.caller.tenant, drafted, corpus.version);
  const remembered = policy.mayRead ? await recall(ports.cache, key, drafted) : undefined;
  const nextSeat = async () => seatIn(ports, await newAnswer(ports, question), true);
  const early = remembered && (await findAnswer(ports, { ...question, built: remembered, nextSeat }));
  if (early?.answer) return early.answer;

  const fresh = await newAnswer(ports, question);
  const built = builtRequest(fresh.key, fresh.context);
  remember(ports.cache, key, built, { tags: tagsOf(call, fresh.context), policy: fresh.policy });
  const isSame = remembered?.contentKey === built.contentKey;
  const asked = { ...fresh, built, nextSeat: async () => seatIn(ports, fresh, true) };
  const { answer, sharedIsUp } = (isSame && early) || (await findAnswer(ports, asked));
  if (answer) return answer;
  // From here to the start of the work nothing is awaited.
  const seat = seatIn(ports, fresh, sharedIsUp);
  if (!seat.pays) ports.cache.tally.joined += 1;
  return attend(seat, asked);
}

interface Question extends Request {
  readonly drafted: DraftedContext;
  readonly policy: CachePolicy;
  readonly corpus: Corpus;
}

interface NewAnswer extends Question {
  readonly context: BuiltContext;
  readonly key: string;
}

/** The request with what is retrieved for it, fitted to its model. */
async function newAnswer(ports: CompletePorts, question: Question): Promise<NewAnswer> {
  const { call, valid, report, corpus } = question;
  const drafted = await ground(ports, question, question.drafted, corpus);
  const policy = drafted.retrieval?.failedWith ? withoutCache(question.policy) : question.policy;
  const context = report.trace.run(Stage.BUILD_CONTEXT, () => fitContext(ports, valid, drafted));
  return { ...question, drafted, policy, context, key: contentKey(call.caller.tenant, context).key };
}

/** A seat with another call that has begun since the look-up; else in work of the call's own, for whoever joins later. */
function seatIn(ports: CompletePorts, question: NewAnswer, sharedIsUp: boolean): Seat {
  const { call, context, drafted, key, policy, report, isTakenOver } = question;
  const underWay = policy.mayJoin ? ports.flights.find(key) : undefined;
  if (underWay) return { flight: underWay, pays: false };
  if (policy.onlyIfCached) throw new SluiceError({ reason: "CACHE_MISS", key });
  report.asked = { prompt: drafted.draft.prompt, target: drafted.target, key };
  // What was retrieved may have been paid for by now.
  report.charges ??= new Charges(ports, report.payer);
  const { charges } = report;
  charges.beginAnswer();
  const job = { call, context, key, policy, charges, sharedIsUp, isTakenOver };
  const flight = ports.flights.start(policy.mayJoin ? key : undefined, (signal, { longest, shortest }) =>
    makeAnswer(ports, { ...job, signal, deadline: longest, shortestDeadline: shortest }),
  );
  void flight.ended.then(() => report.workLost(flight.lostError));
  return { flight, pays: true };
}
