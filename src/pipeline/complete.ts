import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { BuiltRequest } from "../core/cache.ts";
import type { Call } from "../core/call.ts";
import { SluiceError } from "../core/failure.ts";
import { type AnswerPorts, makeAnswer } from "./answer.ts";
import {
  askedAlias,
  type BuildContextPorts,
  type BuiltContext,
  type DraftedContext,
  draftContext,
  fitContext,
} from "./build-context.ts";
import { type CachePolicy, cachePolicy } from "./cache.ts";
import { NO_CORPUS, requestKey } from "./cache-key/request-key.ts";
import { contentKey } from "./cache-key.ts";
import { attend, type CallEvent, type CallEvents, type Seat } from "./call-events.ts";
import { type ChargePorts, Charges } from "./charge.ts";
import { forCaller } from "./completion.ts";
import { type Asked, type FindPorts, findAnswer } from "./find-answer.ts";
import { type OncePorts, once } from "./idempotency.ts";
import { CallReport, type ReportPorts } from "./report.ts";
import { type ValidatePorts, type ValidInput, validate } from "./validate.ts";

export interface CompletePorts
  extends ValidatePorts,
    BuildContextPorts,
    FindPorts,
    AnswerPorts,
    ChargePorts,
    OncePorts,
    ReportPorts {}

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
  const { trace } = report;
  const { tenant } = call.caller;
  const drafted = trace.run(Stage.BUILD_CONTEXT, () => draftContext(ports, valid));
  const policy = cachePolicy(valid.input.cache, ports.cache.defaultTtlMs);
  const question = { ...request, drafted, policy };
  const asked = (built: BuiltRequest): Asked => ({ ...question, built, nextSeat: () => seatIn(ports, build(), true) });
  const build = (): NewAnswer => {
    const context = trace.run(Stage.BUILD_CONTEXT, () => fitContext(ports, valid, drafted));
    return { ...question, context, key: contentKey(tenant, context).key };
  };

  // A request that was built before is not built again where its answer is at hand.
  const { requests } = ports.cache.memory;
  const { key } = requestKey(tenant, drafted, NO_CORPUS);
  const remembered = policy.mayRead ? requests.get(key) : undefined;
  const early = remembered && (await findAnswer(ports, asked(remembered)));
  if (early?.answer) return early.answer;

  const fitted = build();
  const built: BuiltRequest = { contentKey: fitted.key, dropped: fitted.context.fitted.dropped };
  requests.set(key, built);
  const isSame = remembered?.contentKey === built.contentKey;
  const { answer, sharedIsUp } = (isSame && early) || (await findAnswer(ports, asked(built)));
  if (answer) return answer;
  // From here to the start of the work nothing is awaited.
  const seat = seatIn(ports, fitted, sharedIsUp);
  if (!seat.pays) ports.cache.tally.joined += 1;
  return attend(seat, asked(built));
}

interface NewAnswer extends Request {
  readonly drafted: DraftedContext;
  readonly policy: CachePolicy;
  readonly context: BuiltContext;
  readonly key: string;
}

/** A seat with another call that has begun since the look-up; else in work of the call's own, for whoever joins later. */
function seatIn(ports: CompletePorts, question: NewAnswer, sharedIsUp: boolean): Seat {
  const { call, context, drafted, key, policy, report, isTakenOver } = question;
  const underWay = policy.mayJoin ? ports.flights.find(key) : undefined;
  if (underWay) return { flight: underWay, pays: false };
  if (policy.onlyIfCached) throw new SluiceError({ reason: "CACHE_MISS", key });
  report.asked = { ...drafted, key };
  const charges = new Charges(ports, report.payer);
  report.charges = charges;
  const job = { call, context, key, policy, charges, sharedIsUp, isTakenOver };
  const flight = ports.flights.start(policy.mayJoin ? key : undefined, (signal, { longest, shortest }) =>
    makeAnswer(ports, { ...job, signal, deadline: longest, shortestDeadline: shortest }),
  );
  void flight.ended.then(() => report.workLost(flight.lostError));
  return { flight, pays: true };
}
