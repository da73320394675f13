import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { type Failure, SluiceError } from "../../core/failure.ts";
import type { ModelCatalog, ModelTarget, UpstreamError } from "../../core/model.ts";
import { type FitLimits, type FitPorts, type FittedPrompt, fitToModel } from "../build-context/fit.ts";
import { type BuiltContext, takesTexts } from "../build-context.ts";
import type { Charges } from "../charge.ts";
import { failureAfter, mostTelling } from "./failure.ts";
import { changedLimits, moreOutput } from "./limits.ts";
import { nextStep, type RetryPolicy } from "./next-step.ts";

/** What the next attempt sends, to whom, and why. */
export interface Leg {
  readonly target: ModelTarget;
  readonly fitted: FittedPrompt;
  readonly cause: AttemptCause;
  /** Before it is sent; the failure is that of a caller who cannot wait so long. */
  readonly wait?: { readonly ms: number; readonly failure: Failure };
}

/** What is known when an attempt has failed. */
interface FailedState {
  readonly charges: Charges;
  readonly remainingMs: number;
  readonly random: number;
}

/** The way of one call through its chain of models: one budget of attempts for everything that can go wrong. */
export class Route {
  readonly #ports: FitPorts & { readonly retry: RetryPolicy };
  readonly #context: BuiltContext;
  readonly #chain: readonly ModelTarget[];
  #position = 0;
  /** Failures of this model since it was last asked something else. */
  #failuresInRow = 0;
  #limits: FitLimits = {};
  #leg: Leg;
  /** Why the model that was asked for could not answer, once the chain has moved on. */
  #firstFailure?: Failure;

  constructor(ports: FitPorts & { readonly models: ModelCatalog; readonly retry: RetryPolicy }, context: BuiltContext) {
    this.#ports = ports;
    this.#context = context;
    const fallbacks = context.target.fallbacks.map((alias) => ports.models.resolve(alias));
    this.#chain = [context.target, ...fallbacks.filter((target) => takesTexts(target, context.draft))];
    this.#leg = { target: context.target, fitted: context.fitted, cause: AttemptCause.FIRST };
  }

  get leg(): Leg {
    return this.#leg;
  }

  /** Whether the answer is what the same request would get again: from the model it asked for, with the same prompt. */
  get isAsAsked(): boolean {
    const now = this.#leg.fitted.dropped;
    const asked = this.#context.fitted.dropped;
    const isSamePrompt = now?.turns === asked?.turns && String(now?.chunkIds) === String(asked?.chunkIds);
    return this.#position === 0 && isSamePrompt;
  }

  /**
   * Turns to what follows a failed attempt.
   * @throws SluiceError when nothing does: the failure that tells the caller most.
   */
  after(error: UpstreamError, state: FailedState): void {
    this.#failuresInRow += 1;
    const failure = failureAfter(error.fields, this.#leg, state.charges.total().attempts);
    if (this.#position === 0) this.#firstFailure = failure;
    const mayGoOn = state.charges.started < this.#ports.retry.maxAttempts && this.#turn(error, state, failure);
    if (mayGoOn) return;
    const told = this.#position === 0 || !this.#firstFailure ? failure : mostTelling(this.#firstFailure, failure);
    throw new SluiceError(told, { cause: error });
  }

  /** Asks for more output tokens, for an answer that ran into them. False where there are no more, or the caller said how many. */
  raiseOutputLimit(): boolean {
    if (this.#context.draft.sampling.maxOutputTokens !== undefined) return false;
    const limits = moreOutput(this.#leg, this.#limits);
    return limits !== undefined && this.#refit(limits, AttemptCause.OUTPUT_LIMIT);
  }

  #turn(error: UpstreamError, state: FailedState, failure: Failure): boolean {
    const next = this.#nextLeg(() => true);
    const step = nextStep(error.fields, {
      policy: this.#ports.retry,
      failuresInRow: this.#failuresInRow,
      remainingMs: state.remainingMs,
      hasNextModel: next !== undefined,
      random: state.random,
    });
    switch (step.kind) {
      case "again":
        this.#leg = { ...this.#leg, cause: AttemptCause.RETRY, wait: { ms: step.waitMs, failure } };
        return true;
      case "changed": {
        const change = changedLimits(error.fields, this.#leg, this.#limits);
        if (change && this.#refit(change.limits, change.cause)) return true;
        // A prompt that cannot get shorter needs a larger window; anything else, just another model.
        const { contextTokens } = this.#leg.target;
        const needsRoom = change?.cause === AttemptCause.TRUNCATED;
        return this.#moveTo(needsRoom ? this.#nextLeg((target) => target.contextTokens > contextTokens) : next);
      }
      case "next_model":
        return this.#moveTo(next);
      case "give_up":
        return false;
    }
  }

  /** The next model of the chain that suits and that the prompt fits. */
  #nextLeg(suits: (target: ModelTarget) => boolean): { position: number; leg: Leg } | undefined {
    for (let position = this.#position + 1; position < this.#chain.length; position += 1) {
      const target = this.#chain[position];
      const fitted = target && suits(target) ? this.#fit(target, {}) : undefined;
      if (target && fitted) return { position, leg: { target, fitted, cause: AttemptCause.FALLBACK } };
    }
    return undefined;
  }

  #moveTo(next: { position: number; leg: Leg } | undefined): boolean {
    if (!next) return false;
    this.#position = next.position;
    this.#leg = next.leg;
    this.#limits = {};
    this.#failuresInRow = 0;
    return true;
  }

  #refit(limits: FitLimits, cause: AttemptCause): boolean {
    const { target } = this.#leg;
    const fitted = this.#fit(target, limits);
    if (!fitted) return false;
    this.#leg = { target, fitted, cause };
    this.#limits = limits;
    this.#failuresInRow = 0;
    return true;
  }

  /** Undefined where the prompt cannot be made to fit. */
  #fit(target: ModelTarget, limits: FitLimits): FittedPrompt | undefined {
    try {
      return fitToModel(this.#ports, this.#context.draft, target, limits);
    } catch (error) {
      if (error instanceof SluiceError && error.failure.reason === "CONTEXT_OVERFLOW") return undefined;
      throw error;
    }
  }
}
