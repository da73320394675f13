import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { SkipCause } from "../../../gen/sluice/v1/error_detail_pb.ts";
import { type Failure, type Skipped, SluiceError } from "../../core/failure.ts";
import type { ModelTarget, UpstreamError } from "../../core/model.ts";
import type { FitLimits } from "../build-context/fit.ts";
import type { BuiltContext } from "../build-context.ts";
import type { Charges } from "../charge.ts";
import type { BadAnswer } from "../judge.ts";
import { badAnswerFailure, remedyFor } from "./bad-answer.ts";
import { Chain, type ChainPorts, type Link } from "./chain.ts";
import { correctionMessages } from "./correction.ts";
import { failureAfter, mostTelling, promptOverflow, withSkipped } from "./failure.ts";
import { changedLimits, moreOutput } from "./limits.ts";
import { nextStep, type RetryPolicy } from "./next-step.ts";
import type { RefusedTurn, TurnLeg } from "./turn.ts";

/** What the next attempt sends, to whom, and why. */
export interface Leg extends Link, TurnLeg {
  readonly target: ModelTarget;
}

function legOf(leg: Omit<Leg, "overflow">): Leg {
  return { ...leg, overflow: () => promptOverflow(leg.target, leg.fitted) };
}

export interface RoutePorts extends ChainPorts {
  readonly retry: RetryPolicy;
}

/** What is known when an attempt has failed. */
interface FailedState {
  readonly charges: Charges;
  readonly remainingMs: number;
  readonly random: number;
}

/** The way of one call through its models: one budget of attempts for everything that can go wrong. */
export class Route {
  readonly #ports: RoutePorts;
  readonly #context: BuiltContext;
  readonly #chain: Chain;
  /** Failures of this model since it was last asked something else. */
  #failuresInRow = 0;
  #limits: FitLimits = {};
  #leg: Leg;
  #corrections = 0;
  #wasExplained = false;
  /** What was wrong with the last answer, where one came. */
  #badAnswer?: Failure;
  /** As many as the chain has models at most. */
  readonly #skipped: Skipped[] = [];
  /** Why the model that was asked for could not answer, once another is asked. */
  #firstFailure?: Failure;
  /** How the last attempt failed. */
  #lastFailure?: Failure;

  constructor(ports: RoutePorts, context: BuiltContext, firstCause: AttemptCause) {
    this.#ports = ports;
    this.#context = context;
    this.#chain = new Chain(ports, context);
    const { target, draft } = context;
    const isRefused = draft.output.kind === "json" && ports.refusedModes.has(target, draft.output.schema.text);
    const fitted = (isRefused && this.#chain.fit(target, {})) || context.fitted;
    this.#leg = legOf({ target, fitted, cause: firstCause });
  }

  get leg(): Leg {
    return this.#leg;
  }

  /**
   * Whether the answer is what the same request would get again: from the model it asked for with no less of the prompt
   * than our own count asked for, or from the one that it escalates to with all of it.
   */
  get isAsAsked(): boolean {
    if (!this.#chain.isAtHead) return false;
    const now = this.#leg.fitted.dropped;
    const asked = this.#context.fitted.dropped;
    // The stronger model may see parts that two requests with the same key do not share, where their prompts were cut.
    if (this.#chain.isEscalated) return !now && !asked;
    return now?.turns === asked?.turns && String(now?.chunkIds) === String(asked?.chunkIds);
  }

  /** Whether another model could take over. */
  get mayMoveOn(): boolean {
    return this.#chain.next() !== undefined;
  }

  /**
   * Turns to what follows a failed attempt.
   * @throws SluiceError when nothing does: the failure that tells the caller most.
   */
  after(error: UpstreamError, state: FailedState): void {
    this.#failuresInRow += 1;
    const failure = failureAfter(error.fields, this.#leg, state.charges.total().attempts);
    this.#lastFailure = failure;
    const mayGoOn = this.#attemptsLeft(state.charges) > 0 && this.#turn(error, state, failure);
    this.#note(failure, mayGoOn, error);
  }

  /**
   * Turns to the next model when this one cannot be asked now.
   * @throws SluiceError as `after`.
   */
  afterRefusal({ failure, skipped }: RefusedTurn): void {
    this.#skipped.push(skipped);
    this.#note(failure, this.#moveOn(this.#chain.next()));
  }

  /**
   * Turns to the next model when a budget or a limit of the payer does not allow this attempt: another may cost less.
   * @throws SluiceError when nothing follows: what went wrong before, where an attempt was made, since that is what the
   *   payer has paid for; else the limit itself.
   */
  afterOwnLimit(error: SluiceError): void {
    const before = this.#badAnswer ?? this.#firstFailure ?? this.#lastFailure;
    if (!before) throw error;
    const { failure } = error;
    const retryAfterMs = ("retryAfterMs" in failure && failure.retryAfterMs) || 0;
    this.#skipped.push({ model: this.#leg.target.alias, cause: SkipCause.BUDGET, retryAfterMs });
    if (this.#badAnswer || !this.#take(this.#chain.next())) {
      throw new SluiceError(withSkipped(before, this.#skipped), { cause: error });
    }
    this.#firstFailure ??= before;
  }

  /**
   * Turns to what mends a bad answer.
   * @throws SluiceError when nothing does: PARSE_FAILURE or SEMANTIC_FAILURE.
   */
  afterBadAnswer(bad: BadAnswer, text: string, charges: Charges): void {
    const failure = badAnswerFailure(bad, text, charges.total().attempts);
    this.#badAnswer = failure;
    const stronger = bad.kind === "cut" ? undefined : this.#chain.escalation(this.#leg.target);
    const remedy = remedyFor(bad, {
      attemptsLeft: this.#attemptsLeft(charges),
      correctionsLeft: this.#ports.retry.maxCorrections - this.#corrections,
      wasExplained: this.#wasExplained,
      mayEscalate: stronger !== undefined,
    });
    const isMet =
      (remedy === "more_output" && this.#raiseOutputLimit()) ||
      (remedy === "correct" && this.#correct(bad, text)) ||
      ((remedy === "escalate" || remedy === "correct") && this.#take(stronger));
    this.#note(failure, isMet);
  }

  #attemptsLeft(charges: Charges): number {
    return this.#ports.retry.maxAttempts - charges.startedForAnswer;
  }

  /** Remembers why the first model could not answer, and gives up where nothing follows. */
  #note(failure: Failure, mayGoOn: boolean, cause?: UpstreamError): void {
    if (!mayGoOn) {
      const first = this.#badAnswer ?? this.#firstFailure;
      const told = first && first !== failure ? mostTelling(first, failure) : failure;
      throw new SluiceError(withSkipped(told, this.#skipped), { cause });
    }
    const isOther = !this.#chain.isAtHead || this.#chain.isEscalated;
    if (isOther) this.#firstFailure ??= failure;
  }

  #turn(error: UpstreamError, state: FailedState, failure: Failure): boolean {
    const next = this.#chain.next();
    const step = nextStep(error.fields, {
      policy: this.#ports.retry,
      failuresInRow: this.#failuresInRow,
      remainingMs: state.remainingMs,
      hasNextModel: next !== undefined,
      random: state.random,
    });
    switch (step.kind) {
      case "again": {
        const wait = { ms: step.waitMs, isTold: step.isTold, failure };
        this.#leg = legOf({ ...this.#leg, cause: AttemptCause.RETRY, wait });
        return true;
      }
      case "changed": {
        const change = changedLimits(error.fields, this.#leg, this.#limits);
        if (change?.cause === AttemptCause.JSON_MODE) this.#rememberRefusal();
        if (change && this.#refit(change.limits, change.cause)) return true;
        // A prompt that cannot get shorter needs a larger window; anything else, just another model.
        const needsRoom = change?.cause === AttemptCause.TRUNCATED;
        // Of the window that the failure showed: a server's own may be smaller than the configured one.
        const shownTokens = Math.min(this.#leg.target.contextTokens, error.fields.limit ?? Number.POSITIVE_INFINITY);
        const larger = () => this.#chain.next((target) => target.contextTokens > shownTokens);
        return this.#moveOn(needsRoom ? larger() : next);
      }
      case "next_model":
        return this.#moveOn(next);
      case "give_up":
        return false;
    }
  }

  #rememberRefusal(): void {
    const { output } = this.#context.draft;
    if (output.kind === "json") this.#ports.refusedModes.add(this.#leg.target, output.schema.text);
  }

  /** Asks for more output tokens. False where there are no more, or the caller said how many. */
  #raiseOutputLimit(): boolean {
    if (this.#context.draft.isOutputCapped) return false;
    const limits = moreOutput(this.#leg, this.#limits);
    return limits !== undefined && this.#refit(limits, AttemptCause.OUTPUT_LIMIT);
  }

  /** Tells the model what is wrong, in place of what it was told before. */
  #correct(bad: BadAnswer, text: string): boolean {
    const isJson = this.#context.draft.output.kind === "json";
    const appended = correctionMessages(this.#ports.builtins, { text, bad, isJson });
    if (!this.#refit({ ...this.#limits, appended }, AttemptCause.CORRECTION)) return false;
    this.#corrections += 1;
    this.#wasExplained ||= bad.kind === "wrong";
    return true;
  }

  /** A correction that cannot be made goes to the stronger model first: what it was about is still wrong. */
  #moveOn(next: ReturnType<Chain["next"]>): boolean {
    const isCorrecting = this.#limits.appended !== undefined;
    return (isCorrecting && this.#take(this.#chain.escalation(this.#leg.target))) || this.#take(next);
  }

  #take(next: ReturnType<Chain["next"]>): boolean {
    if (!next) return false;
    const { target, fitted } = next;
    this.#leg = legOf({ target, fitted, cause: next.take() });
    this.#limits = {};
    this.#failuresInRow = 0;
    this.#wasExplained = false;
    return true;
  }

  #refit(limits: FitLimits, cause: AttemptCause): boolean {
    const { target } = this.#leg;
    const fitted = this.#chain.fit(target, limits);
    if (!fitted) return false;
    this.#leg = legOf({ target, fitted, cause });
    this.#limits = limits;
    this.#failuresInRow = 0;
    return true;
  }
}
