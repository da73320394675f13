import { AttemptCause } from "../../gen/sluice/v1/attempt_pb.ts";
import { RestartCause } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Log } from "../core/log.ts";
import type { ModelTarget, UpstreamError } from "../core/model.ts";
import type { FittedPrompt } from "./build-context/fit.ts";
import {
  type AttemptOutcome,
  type AttemptPlan,
  type AttemptPorts,
  type ModelDelta,
  runAttempt,
} from "./call-model/attempt.ts";
import { reasonOf } from "./call-model/failure.ts";
import type { ModelJob, ModelWait } from "./call-model/job.ts";
import { type Leg, Route, type RoutePorts } from "./call-model/route.ts";
import { awaitTurn, type TurnPorts } from "./call-model/turn.ts";
import type { BadAnswer, GoodAnswer, Verdict } from "./judge.ts";

export type { ModelJob, ModelWait } from "./call-model/job.ts";

export interface CallModelPorts extends RoutePorts, TurnPorts, AttemptPorts {
  readonly log: Log;
}

/** A whole answer that was judged good. */
export interface ModelAnswer {
  readonly finish: "stop" | "length";
  readonly good: GoodAnswer;
  readonly target: ModelTarget;
  readonly servedModel: string;
  readonly fitted: FittedPrompt;
  /** False where a fallback answered, or a prompt that had to be shortened further than our own count asked for. */
  readonly isAsAsked: boolean;
}

export type ModelStep =
  | ModelDelta
  /** All deltas so far are void. Comes again where the one that it announces sends nothing. */
  | { readonly kind: "restarted"; readonly cause: RestartCause; readonly target: ModelTarget }
  | ModelWait
  | { readonly kind: "answered"; readonly answer: ModelAnswer };

/** Judges a whole answer to what a leg sent. */
export type Judge = (answer: { readonly text: string; readonly finish: "stop" | "length" }, leg: Leg) => Verdict;

/**
 * The call-model stage, and the only retry loop: one budget of attempts and one deadline for failures, corrections and
 * escalations alike. Ends with exactly one `answered`, or throws: a SluiceError with the failure that tells most, or
 * the signal's reason.
 */
export async function* callModel(
  ports: CallModelPorts,
  job: ModelJob,
  judge: Judge,
): AsyncGenerator<ModelStep, void, undefined> {
  const { charges } = job;
  const route = new Route(ports, job.context, job.isTakenOver ? AttemptCause.TAKEOVER : AttemptCause.FIRST);
  let isVoid = false;
  for (;;) {
    const { leg } = route;
    const turn = yield* awaitTurn(ports, job, leg, () => route.mayMoveOn);
    if (turn.kind === "refused") {
      route.afterRefusal(turn);
      continue;
    }
    const outcome: AttemptOutcome = yield* attempt(ports, job, leg, { ...turn, judge, isVoid });
    if (outcome.kind === "good") {
      const { good, finish, servedModel } = outcome;
      const { target, fitted } = leg;
      yield { kind: "answered", answer: { good, finish, target, servedModel, fitted, isAsAsked: route.isAsAsked } };
      return;
    }
    if (outcome.kind === "unaffordable") {
      route.afterOwnLimit(outcome.error);
      continue;
    }
    isVoid ||= outcome.sentText;
    if (outcome.kind === "bad") {
      logBadAnswer(ports.log, job, leg, outcome.bad);
      route.afterBadAnswer(outcome.bad, outcome.text, charges);
    } else {
      logFailure(ports.log, job, leg, outcome.error);
      route.after(outcome.error, {
        charges,
        remainingMs: (route.mayMoveOn ? job.shortestDeadline : job.deadline).remainingMs(),
        random: ports.clock.random(),
      });
    }
  }
}

/** One attempt, announced where deltas before it are void. Its pass is ended whatever becomes of it. */
async function* attempt(
  ports: CallModelPorts,
  job: ModelJob,
  leg: Leg,
  { pass, waitedMs, judge, isVoid }: Pick<AttemptPlan, "pass" | "waitedMs"> & { judge: Judge; isVoid: boolean },
): AsyncGenerator<ModelStep, AttemptOutcome, undefined> {
  try {
    if (isVoid) yield { kind: "restarted", cause: restartCauses[leg.cause] ?? RestartCause.RETRY, target: leg.target };
    return yield* runAttempt(ports, job, leg, { pass, waitedMs, judge: (answer) => judge(answer, leg) });
  } finally {
    pass.end("abandoned");
  }
}

/** Why an answer is made anew, by the cause of the attempt that makes it. */
const restartCauses: Readonly<Partial<Record<AttemptCause, RestartCause>>> = {
  [AttemptCause.FALLBACK]: RestartCause.FALLBACK,
  [AttemptCause.OUTPUT_LIMIT]: RestartCause.OUTPUT_LIMIT,
  [AttemptCause.TRUNCATED]: RestartCause.TRUNCATED,
  [AttemptCause.CORRECTION]: RestartCause.CORRECTION,
  [AttemptCause.ESCALATION]: RestartCause.ESCALATION,
};

function logFailure(log: Log, job: ModelJob, leg: Leg, { fields }: UpstreamError): void {
  const { kind, httpStatus, waitMs, code } = fields;
  const line = { ...whose(job, leg), kind, http_status: httpStatus, wait_ms: waitMs, code };
  // What only an operator can mend is more than the day's weather.
  if (reasonOf[kind] === "PROVIDER_MISCONFIGURED" || kind === "quota_exhausted") log.warn("attempt_failed", line);
  else log.info("attempt_failed", line);
}

/** Rules by name and checks by number: paths and texts of checks can hold words of the answer or of the caller. */
function logBadAnswer(log: Log, job: ModelJob, leg: Leg, bad: BadAnswer): void {
  const { sources } = job.context.draft.output.checks;
  const rules =
    bad.kind === "wrong"
      ? bad.broken.map(({ rule }) => `checks[${sources.findIndex((source) => source.rule === rule)}]`)
      : bad.violations.map(({ rule }) => rule);
  log.info("answer_rejected", { ...whose(job, leg), kind: bad.kind, rules });
}

function whose({ call, charges }: ModelJob, { target }: Leg) {
  return {
    call_id: call.id,
    tenant: call.caller.tenant,
    model: target.alias,
    provider: target.provider.id,
    attempt: charges.started,
  };
}
