import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { SluiceError } from "../../core/failure.ts";
import type { ModelCatalog, ModelTarget, UpstreamError } from "../../core/model.ts";
import type { Draft } from "../build-context/draft.ts";
import { type FitLimits, type FitPorts, type FittedPrompt, fitToModel } from "../build-context/fit.ts";
import { type BuiltContext, takesTexts } from "../build-context.ts";
import type { Charges } from "../charge.ts";
import { failureAfter } from "./failure.ts";
import { nextStep, type RetryPolicy } from "./next-step.ts";

/** A provider that finds the prompt too long gets at most this share of it. */
const SHORTEN_TO = 0.7;

/** How much of the prompt to keep: what the provider's own numbers leave room for, with a margin, and never much. */
function shareThatFits(error: UpstreamError, reservedTokens: number): number {
  const { limit, requested } = error.fields;
  if (limit === undefined || !requested) return SHORTEN_TO;
  return Math.min(SHORTEN_TO, Math.max(0, ((limit - reservedTokens) / requested) * 0.95));
}

/** What the next attempt sends, to whom, and why. */
export interface Leg {
  readonly target: ModelTarget;
  readonly fitted: FittedPrompt;
  readonly cause: AttemptCause;
  readonly waitMs: number;
}

/** The way of one call through its chain of models: one budget of attempts for everything that can go wrong. */
export class Route {
  readonly #ports: FitPorts & { readonly policy: RetryPolicy };
  readonly #draft: Draft;
  readonly #chain: readonly ModelTarget[];
  #position = 0;
  #failuresInRow = 0;
  #limits: FitLimits = {};
  #leg: Leg;

  constructor(
    ports: FitPorts & { readonly models: ModelCatalog; readonly policy: RetryPolicy },
    context: BuiltContext,
  ) {
    this.#ports = ports;
    this.#draft = context.draft;
    const fallbacks = context.target.fallbacks.map((alias) => ports.models.resolve(alias));
    this.#chain = [context.target, ...fallbacks.filter((target) => takesTexts(target, context.draft))];
    this.#leg = { target: context.target, fitted: context.fitted, cause: AttemptCause.FIRST, waitMs: 0 };
  }

  get leg(): Leg {
    return this.#leg;
  }

  /** Whether the answer is what a request for it would get again: from the model it asked for, with its whole prompt. */
  get isAsAsked(): boolean {
    return this.#position === 0 && this.#limits.windowTokens === undefined;
  }

  /**
   * Turns to what follows a failed attempt.
   * @throws SluiceError when nothing does: the failure of this last attempt.
   */
  after(error: UpstreamError, state: { charges: Charges; remainingMs: number; random: number }): void {
    this.#failuresInRow += 1;
    const giveUp = () =>
      new SluiceError(failureAfter(error.fields, this.#leg.target, this.#leg.fitted, state.charges.total().attempts), {
        cause: error,
      });
    if (state.charges.started >= this.#ports.policy.maxAttempts) throw giveUp();
    const step = nextStep(error.fields, {
      policy: this.#ports.policy,
      failuresInRow: this.#failuresInRow,
      remainingMs: state.remainingMs,
      hasNextModel: this.#position + 1 < this.#chain.length,
      random: state.random,
    });
    const moved =
      step.kind === "again"
        ? this.#again(step.cause, step.waitMs, error) || (step.cause === AttemptCause.TRUNCATED && this.#largerModel())
        : step.kind === "next_model" && this.#nextModel(() => true);
    if (!moved) throw giveUp();
  }

  /** Doubles the number of output tokens for an answer that ran into it. False where there is no more to give. */
  raiseOutputLimit(): boolean {
    const now = this.#leg.fitted.sampling.maxOutputTokens;
    const more = Math.min(now * 2, this.#leg.target.maxOutputTokens);
    return more > now && this.#refit({ ...this.#limits, maxOutputTokens: more }, AttemptCause.OUTPUT_LIMIT);
  }

  #again(cause: AttemptCause, waitMs: number, error: UpstreamError): boolean {
    const { fitted } = this.#leg;
    switch (cause) {
      case AttemptCause.TRUNCATED: {
        const reserved = fitted.sampling.maxOutputTokens;
        // A prompt that fits by itself is not shortened: less is reserved for the answer.
        const { maxOutputTokens } = error.fields;
        if (maxOutputTokens !== undefined && maxOutputTokens >= 1 && maxOutputTokens < reserved) {
          return this.#refit({ ...this.#limits, maxOutputTokens }, AttemptCause.OUTPUT_LIMIT);
        }
        const windowTokens = reserved + Math.floor(fitted.budget.promptTokens * shareThatFits(error, reserved));
        return this.#refit({ ...this.#limits, windowTokens }, cause);
      }
      case AttemptCause.OUTPUT_LIMIT: {
        const now = fitted.sampling.maxOutputTokens;
        const maxOutputTokens = error.fields.maxOutputTokens ?? Math.floor(now / 2);
        return (
          maxOutputTokens >= 1 && maxOutputTokens < now && this.#refit({ ...this.#limits, maxOutputTokens }, cause)
        );
      }
      case AttemptCause.JSON_MODE:
        return !this.#limits.withoutJsonMode && this.#refit({ ...this.#limits, withoutJsonMode: true }, cause);
      default:
        this.#leg = { ...this.#leg, cause, waitMs };
        return true;
    }
  }

  #largerModel(): boolean {
    const { contextTokens } = this.#leg.target;
    return this.#nextModel((target) => target.contextTokens > contextTokens);
  }

  #nextModel(suits: (target: ModelTarget) => boolean): boolean {
    for (let position = this.#position + 1; position < this.#chain.length; position += 1) {
      const target = this.#chain[position];
      if (!target || !suits(target)) continue;
      if (!this.#fit(target, {}, AttemptCause.FALLBACK)) continue;
      this.#position = position;
      this.#failuresInRow = 0;
      return true;
    }
    return false;
  }

  #refit(limits: FitLimits, cause: AttemptCause): boolean {
    return this.#fit(this.#leg.target, limits, cause);
  }

  /** False where the prompt cannot be made to fit. */
  #fit(target: ModelTarget, limits: FitLimits, cause: AttemptCause): boolean {
    try {
      const fitted = fitToModel(this.#ports, this.#draft, target, limits);
      this.#leg = { target, fitted, cause, waitMs: 0 };
      this.#limits = limits;
      return true;
    } catch (error) {
      if (error instanceof SluiceError && error.failure.reason === "CONTEXT_OVERFLOW") return false;
      throw error;
    }
  }
}
