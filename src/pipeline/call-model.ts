import { AttemptCause } from "../../gen/sluice/v1/attempt_pb.ts";
import { RestartCause } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../core/call.ts";
import type { Deadline } from "../core/deadline.ts";
import type { Failure } from "../core/failure.ts";
import type { Log } from "../core/log.ts";
import type { ModelCatalog, ModelTarget, UpstreamError } from "../core/model.ts";
import type { FitPorts, FittedPrompt } from "./build-context/fit.ts";
import type { BuiltContext } from "./build-context.ts";
import { type AttemptPorts, type ModelDelta, runAttempt } from "./call-model/attempt.ts";
import type { RetryPolicy } from "./call-model/next-step.ts";
import { type Leg, Route } from "./call-model/route.ts";
import type { Charges } from "./charge.ts";

export interface CallModelPorts extends FitPorts, AttemptPorts {
  readonly models: ModelCatalog;
  readonly log: Log;
  readonly retry: RetryPolicy;
}

/** What a call asks of the models. The signal and the deadline are those of the work, which several callers may share. */
export interface ModelJob {
  readonly call: Call;
  readonly context: BuiltContext;
  readonly charges: Charges;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
}

/** A whole answer: the model said why it stopped. */
export interface ModelAnswer {
  readonly text: string;
  readonly finish: "stop" | "length";
  readonly target: ModelTarget;
  readonly servedModel: string;
  readonly fitted: FittedPrompt;
  /** False where a fallback answered, or a prompt that had to be shortened further than our own count asked for. */
  readonly isAsAsked: boolean;
}

export type ModelStep =
  | ModelDelta
  /** All deltas so far are void. */
  | { readonly kind: "restarted"; readonly cause: RestartCause; readonly target: ModelTarget }
  | ModelWait
  | { readonly kind: "answered"; readonly answer: ModelAnswer };

/** The work is about to wait before its next attempt. */
export interface ModelWait {
  readonly kind: "waiting";
  /** What is left of the wait, whenever it is asked. */
  remainingMs(): number;
  /** What the call fails with for a caller who has less time. */
  readonly failure: Failure;
}

/**
 * The call-model stage, and the only retry loop: one budget of attempts and one deadline for all of it.
 * Ends with exactly one `answered`, or throws: a SluiceError with the failure that tells most, or the signal's reason.
 * @param isCut whether an answer that ran into its number of output tokens is useless, so that more are worth asking for.
 */
export async function* callModel(
  ports: CallModelPorts,
  job: ModelJob,
  isCut: (text: string) => boolean,
): AsyncGenerator<ModelStep, void, undefined> {
  const route = new Route(ports, job.context);
  for (;;) {
    const { leg } = route;
    if (leg.wait && leg.wait.ms > 0) {
      yield waiting(ports, leg.wait);
      await ports.clock.sleep(leg.wait.ms, job.signal);
    }
    job.signal.throwIfAborted();
    const outcome = yield* runAttempt(ports, job, leg);
    if (outcome.kind === "failed") {
      logFailure(ports.log, job, leg, outcome.error);
      const { charges } = job;
      route.after(outcome.error, { charges, remainingMs: job.deadline.remainingMs(), random: ports.clock.random() });
      if (outcome.sentText) yield restart(route.leg);
      continue;
    }
    const { text, end } = outcome;
    if (end.finish === "length" && isCut(text) && mayAskForMore(ports, job, route)) {
      if (text) yield restart(route.leg);
      continue;
    }
    const servedModel = end.servedModel ?? leg.target.providerModel;
    const { target, fitted } = leg;
    yield {
      kind: "answered",
      answer: { text, finish: end.finish, target, servedModel, fitted, isAsAsked: route.isAsAsked },
    };
    return;
  }
}

function waiting({ clock }: CallModelPorts, { ms, failure }: NonNullable<Leg["wait"]>): ModelWait {
  const end = clock.monotonicMs() + ms;
  return { kind: "waiting", remainingMs: () => Math.max(0, end - clock.monotonicMs()), failure };
}

/** Where there is nothing more to give, the answer fails in the parse stage. */
function mayAskForMore(ports: CallModelPorts, job: ModelJob, route: Route): boolean {
  return job.charges.started < ports.retry.maxAttempts && route.raiseOutputLimit();
}

function restart(leg: Leg): ModelStep {
  return { kind: "restarted", cause: restartCause(leg.cause), target: leg.target };
}

function restartCause(cause: AttemptCause): RestartCause {
  if (cause === AttemptCause.FALLBACK) return RestartCause.FALLBACK;
  return cause === AttemptCause.OUTPUT_LIMIT ? RestartCause.OUTPUT_LIMIT : RestartCause.RETRY;
}

function logFailure(log: Log, job: ModelJob, leg: Leg, error: UpstreamError): void {
  const { kind, httpStatus, waitMs } = error.fields;
  log.info("attempt_failed", {
    call_id: job.call.id,
    tenant: job.call.caller.tenant,
    model: leg.target.alias,
    provider: leg.target.provider.id,
    attempt: job.charges.started,
    kind,
    http_status: httpStatus,
    wait_ms: waitMs,
  });
}
