import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { SkipCause } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { Clock } from "../../core/clock.ts";
import type { Failure, Skipped } from "../../core/failure.ts";
import type { ModelTarget } from "../../core/model.ts";
import type { Admission, GateTarget, ModelGate, Pass } from "../model-gates.ts";
import { type FailedLeg, failureAfter } from "./failure.ts";
import type { ModelJob, ModelWait } from "./job.ts";
import type { RetryPolicy } from "./next-step.ts";

export interface TurnPorts {
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  readonly gates: { of(target: GateTarget): ModelGate };
}

/** What the next attempt asks, and why. */
export interface TurnLeg extends FailedLeg {
  readonly target: GateTarget & Pick<ModelTarget, "alias">;
  readonly cause: AttemptCause;
  /** Before it is sent; the failure is that of a caller who cannot wait so long. */
  readonly wait?: { readonly ms: number; readonly isTold: boolean; readonly failure: Failure };
}

/** Whose turn it is: the deadline and the signal are those of the work. */
export type TurnJob = Pick<ModelJob, "charges" | "signal" | "deadline" | "shortestDeadline">;

/** Whether an attempt may be made now. */
export type Turn =
  /** The pass must be ended. */
  { readonly kind: "admitted"; readonly pass: Pass; readonly waitedMs: number } | RefusedTurn;

/** This model cannot be asked within the time there is. */
export interface RefusedTurn {
  readonly kind: "refused";
  readonly failure: Failure;
  readonly skipped: Skipped;
}

/**
 * How often a call that has asked a model already waits for its open circuit, where it has no other model. One
 * wait is for the time of the probe, one for a probe that another call makes, and one for a timer that woke too early.
 * New calls are told at once.
 */
const MAX_CIRCUIT_WAITS = 3;

/** Causes of attempts with which a call comes to a model for the first time. */
const isNewHere: ReadonlySet<AttemptCause> = new Set([
  AttemptCause.FIRST,
  AttemptCause.FALLBACK,
  AttemptCause.ESCALATION,
]);

/**
 * Waits until an attempt may be made: as the last failure asks, as the provider asked anybody, and until the model has
 * a free slot. No wait is begun that would outlive the call, or that the operator would not allow.
 * Rejects with the signal's reason.
 */
export async function* awaitTurn(
  { clock, retry, gates }: TurnPorts,
  job: TurnJob,
  leg: TurnLeg,
  mayMoveOn: () => boolean,
): AsyncGenerator<ModelWait, Turn, undefined> {
  const startedMs = clock.monotonicMs();
  const gate = gates.of(leg.target);
  // A back-off is this call's alone. A told wait is everybody's: the gate holds them, and spreads those who come back.
  const told = leg.wait?.isTold ? leg.wait : undefined;
  const toldLeftMs = () => (told ? startedMs + told.ms - clock.monotonicMs() : 0);
  if (leg.wait && !told) yield* pause(clock, job, leg.wait);
  let circuitWaits = 0;
  for (;;) {
    job.signal.throwIfAborted();
    const admission = await gate.enter(job);
    if (admission.kind === "admitted") {
      if (!told || toldLeftMs() <= 0) {
        return { kind: "admitted", pass: admission.pass, waitedMs: clock.monotonicMs() - startedMs };
      }
      // What this call was told holds also where the gate has forgotten it.
      admission.pass.end("abandoned");
      yield* pause(clock, job, { ...told, ms: toldLeftMs() });
      continue;
    }
    const failure = refusal(admission, job, leg);
    const refused = { kind: "refused", failure, skipped: skippedFor(admission, leg) } as const;
    if (admission.kind === "queue_full") return refused;
    if (admission.kind === "circuit_open") {
      circuitWaits += 1;
      if (isNewHere.has(leg.cause) || circuitWaits > MAX_CIRCUIT_WAITS || mayMoveOn()) return refused;
    }
    const isCooling = admission.kind === "cooling";
    const ms = Math.max(isCooling ? admission.waitMs : admission.retryAfterMs, toldLeftMs());
    const askedMs = isCooling ? admission.toldMs : admission.retryAfterMs;
    const { deadline } = mayMoveOn() ? { deadline: job.shortestDeadline } : job;
    if (ms >= deadline.remainingMs() || askedMs > retry.maxWaitMs) return refused;
    yield* pause(clock, job, { ms, failure });
  }
}

/** What the call fails with where it can neither wait nor ask another model. */
function refusal(admission: Exclude<Admission, { kind: "admitted" }>, job: TurnJob, leg: TurnLeg): Failure {
  const { attempts } = job.charges.total();
  switch (admission.kind) {
    case "cooling":
      return failureAfter({ ...admission.error, waitMs: admission.toldMs }, leg, attempts);
    case "circuit_open":
      return { reason: "MODEL_UNAVAILABLE", attempts, retryAfterMs: admission.retryAfterMs };
    case "queue_full": {
      const { limit, retryAfterMs } = admission;
      return { reason: "OVERLOADED", resource: `models/${leg.target.alias}`, limit, retryAfterMs };
    }
  }
}

function skippedFor(
  admission: Exclude<Admission, { kind: "admitted" }>,
  { target: { alias: model } }: TurnLeg,
): Skipped {
  switch (admission.kind) {
    case "cooling":
      return { model, cause: SkipCause.COOL_DOWN, retryAfterMs: admission.toldMs };
    case "circuit_open":
      return { model, cause: SkipCause.CIRCUIT_OPEN, retryAfterMs: admission.retryAfterMs };
    case "queue_full":
      return { model, cause: SkipCause.QUEUE_FULL, retryAfterMs: admission.retryAfterMs };
  }
}

/** Says that the work waits, and waits. */
async function* pause(
  clock: Clock,
  job: TurnJob,
  { ms, failure }: { readonly ms: number; readonly failure: Failure },
): AsyncGenerator<ModelWait, void, undefined> {
  if (ms <= 0) return;
  const end = clock.monotonicMs() + ms;
  yield { kind: "waiting", remainingMs: () => Math.max(0, end - clock.monotonicMs()), failure };
  await clock.sleep(ms, job.signal);
}
