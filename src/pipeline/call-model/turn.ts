import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import type { Clock } from "../../core/clock.ts";
import type { Failure } from "../../core/failure.ts";
import type { ModelTarget } from "../../core/model.ts";
import type { Admission, ModelGate, Pass } from "../model-gates.ts";
import { failureAfter } from "./failure.ts";
import type { ModelJob, ModelWait } from "./job.ts";
import type { RetryPolicy } from "./next-step.ts";
import type { Leg } from "./route.ts";

export interface TurnPorts {
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  readonly gates: { of(target: ModelTarget): ModelGate };
}

/** Whether an attempt may be made now. */
export type Turn =
  /** The pass must be ended. */
  | { readonly kind: "admitted"; readonly pass: Pass; readonly waitedMs: number }
  /** This model cannot be asked within the time there is. */
  | { readonly kind: "refused"; readonly failure: Failure };

/**
 * How often a call that has asked a model already waits for its open circuit, where it has no other model. One
 * wait is for the time of the probe, one for a probe that another call makes, and one for a timer that woke too early.
 * New calls are told at once.
 */
const MAX_CIRCUIT_WAITS = 3;

/**
 * Waits until an attempt may be made: as the last failure asks, as the provider asked anybody, and until the model has
 * a free slot. No wait is begun that would outlive the call, or that the operator would not allow.
 * Rejects with the signal's reason.
 */
export async function* awaitTurn(
  { clock, retry, gates }: TurnPorts,
  job: ModelJob,
  leg: Leg,
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
    if (admission.kind === "queue_full") return { kind: "refused", failure };
    if (admission.kind === "circuit_open") {
      circuitWaits += 1;
      const isRetry = leg.cause === AttemptCause.RETRY;
      if (!isRetry || circuitWaits > MAX_CIRCUIT_WAITS || mayMoveOn()) return { kind: "refused", failure };
    }
    const isCooling = admission.kind === "cooling";
    const ms = Math.max(isCooling ? admission.waitMs : admission.retryAfterMs, toldLeftMs());
    const askedMs = isCooling ? admission.toldMs : admission.retryAfterMs;
    if (ms >= job.deadline.remainingMs() || askedMs > retry.maxWaitMs) return { kind: "refused", failure };
    yield* pause(clock, job, { ms, failure });
  }
}

/** What the call fails with where it can neither wait nor ask another model. */
function refusal(admission: Exclude<Admission, { kind: "admitted" }>, job: ModelJob, leg: Leg): Failure {
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

/** Says that the work waits, and waits. */
async function* pause(
  clock: Clock,
  job: ModelJob,
  { ms, failure }: { readonly ms: number; readonly failure: Failure },
): AsyncGenerator<ModelWait, void, undefined> {
  if (ms <= 0) return;
  const end = clock.monotonicMs() + ms;
  yield { kind: "waiting", remainingMs: () => Math.max(0, end - clock.monotonicMs()), failure };
  await clock.sleep(ms, job.signal);
}
