import { isPayersOwn } from "../../core/budgets.ts";
import type { Call } from "../../core/call.ts";
import type { Clock } from "../../core/clock.ts";
import { type FailureReason, SluiceError } from "../../core/failure.ts";
import { type ModelRequest, type ModelTarget, UpstreamError, type UpstreamErrorKind } from "../../core/model.ts";
import type { TokenCounts } from "../../core/money.ts";
import type { TokenCounter } from "../../core/tokens.ts";
import type { Charges, OpenAttempt } from "../charge.ts";
import { type BadAnswer, badAnswerReason, type GoodAnswer, type Verdict } from "../judge.ts";
import type { Pass } from "../model-gates.ts";
import { reasonOf } from "./failure.ts";
import type { Leg } from "./route.ts";
import { type ModelEnd, unreadPrompt } from "./unread-prompt.ts";

/** How an attempt went. What is none of these is thrown: an abort, a ledger that takes no records, or a bug. */
export type AttemptOutcome =
  | {
      readonly kind: "good";
      readonly good: GoodAnswer;
      readonly finish: "stop" | "length";
      /** The name of the model that the provider says answered. */
      readonly servedModel: string;
    }
  | { readonly kind: "bad"; readonly bad: BadAnswer; readonly text: string; readonly sentText: boolean }
  | { readonly kind: "failed"; readonly error: UpstreamError; readonly sentText: boolean }
  /** It was not made: a budget or a limit of its payer does not allow it. */
  | { readonly kind: "unaffordable"; readonly error: SluiceError };

/** What an attempt is made with besides its leg. */
export interface AttemptPlan {
  /** Told how it went; ended by whoever got it. */
  readonly pass: Pass;
  readonly waitedMs: number;
  judge(answer: { readonly text: string; readonly finish: "stop" | "length" }): Verdict;
}

/** A piece of an answer, and who gives it. */
export interface ModelDelta {
  readonly kind: "delta";
  readonly text: string;
  readonly target: ModelTarget;
}

export interface AttemptPorts {
  readonly clock: Clock;
  readonly counter: TokenCounter;
}

/**
 * Makes one request, passes its deltas on as they come, and judges its answer. Its start is recorded before it is sent;
 * its end exactly once, however it ends, also when it is aborted.
 */
export async function* runAttempt(
  ports: AttemptPorts,
  job: { readonly call: Call; readonly charges: Charges; readonly signal: AbortSignal },
  leg: Leg,
  plan: AttemptPlan,
): AsyncGenerator<ModelDelta, AttemptOutcome, undefined> {
  const open = await begun(job.charges, leg, plan);
  if (open instanceof SluiceError) return { kind: "unaffordable", error: open };
  const meter = new AttemptMeter(ports, leg, open);
  try {
    // The caller may have left while the start was recorded: what is not sent is not charged.
    if (job.signal.aborted) {
      await meter.notSent();
      throw job.signal.reason;
    }
    for await (const event of leg.target.chat.complete(modelRequest(job.call, open, leg), job.signal)) {
      plan.pass.alive();
      if (event.kind === "end") return await judged(event, meter, leg, plan);
      meter.add(event.text);
      yield { kind: "delta", text: event.text, target: leg.target };
    }
    throw new UpstreamError({ kind: "stream_interrupted", httpStatus: 0 });
  } catch (error) {
    if (!(error instanceof UpstreamError)) {
      await meter.abandoned(job.signal.aborted ? "CANCELLED" : "INTERNAL");
      throw error;
    }
    plan.pass.end(error.fields);
    await meter.failed(error);
    return { kind: "failed", error, sentText: meter.text !== "" };
  } finally {
    await meter.abandoned("CANCELLED");
  }
}

/** The attempt, charged; or why its payer may not make it. */
async function begun(charges: Charges, { target, cause, fitted }: Leg, plan: AttemptPlan) {
  try {
    return await charges.begin({
      target,
      cause,
      waitMs: plan.waitedMs,
      estimatedPromptTokens: fitted.budget.promptTokens,
      maxOutputTokens: fitted.sampling.maxOutputTokens,
    });
  } catch (error) {
    if (error instanceof SluiceError && isPayersOwn(error.failure)) return error;
    throw error;
  }
}

/** The model said why it stopped; whether its answer is any good is another question. */
async function judged(
  end: ModelEnd,
  meter: AttemptMeter,
  leg: Leg,
  { pass, judge }: AttemptPlan,
): Promise<AttemptOutcome> {
  const unread = unreadPrompt(end, leg);
  if (unread) throw unread;
  const { finish } = end;
  const { text } = meter;
  const verdict = judge({ text, finish });
  pass.end(undefined);
  await meter.answered(end, verdict.kind === "good" ? undefined : badAnswerReason[verdict.kind]);
  if (verdict.kind !== "good") return { kind: "bad", bad: verdict, text, sentText: text !== "" };
  return { kind: "good", good: verdict, finish, servedModel: end.servedModel ?? leg.target.providerModel };
}

function modelRequest(call: Call, open: OpenAttempt, leg: Leg): ModelRequest {
  const { target, fitted } = leg;
  return {
    callId: call.id,
    attempt: open.number,
    providerModel: target.providerModel,
    messages: fitted.messages,
    messagesOfCorrection: fitted.messagesOfCorrection,
    chunks: fitted.chunks,
    sampling: fitted.sampling,
    output: fitted.output,
    timeouts: target.timeouts,
    streamUpstream: target.streamUpstream,
  };
}

/** Kinds of failure after which a provider may have done work that it charges for, although it reported no tokens. */
export const mayHaveBeenPaid: ReadonlySet<UpstreamErrorKind> = new Set([
  "first_byte_timeout",
  "idle_timeout",
  "attempt_timeout",
  "stream_interrupted",
  "empty_answer",
  "content_filtered_output",
  "bad_vectors",
  "wrong_dimension",
]);

const NO_TOKENS: TokenCounts = { promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 };

/** Gathers an attempt's text and time, and ends its charge once. */
class AttemptMeter {
  readonly #ports: AttemptPorts;
  readonly #leg: Leg;
  readonly #open: OpenAttempt;
  readonly #startedMs: number;
  #firstTokenMs?: number;
  #ended = false;
  text = "";

  constructor(ports: AttemptPorts, leg: Leg, open: OpenAttempt) {
    this.#ports = ports;
    this.#leg = leg;
    this.#open = open;
    this.#startedMs = ports.clock.monotonicMs();
  }

  add(text: string): void {
    this.#firstTokenMs ??= this.#ports.clock.monotonicMs() - this.#startedMs;
    this.text += text;
  }

  async answered(end: ModelEnd, failure: FailureReason | undefined): Promise<void> {
    this.#learn(end);
    await this.#end({ tokens: end.usage ?? this.#estimate(), estimated: !end.usage, httpStatus: 200, failure });
  }

  /** The sandbox reports our own counts, and providers differ in whether they count a schema: neither teaches anything. */
  #learn({ usage }: ModelEnd): void {
    const { target, fitted } = this.#leg;
    if (!usage || target.synthetic || fitted.output.kind === "json") return;
    this.#ports.counter.observe(target.family, fitted.budget.promptTokens, usage.promptTokens);
  }

  async failed(error: UpstreamError): Promise<void> {
    const { kind, usage, httpStatus } = error.fields;
    const estimated = !usage && (mayHaveBeenPaid.has(kind) || this.text !== "");
    const tokens = usage ?? (estimated ? this.#estimate() : NO_TOKENS);
    await this.#end({ tokens, estimated, httpStatus, failure: reasonOf[kind] });
  }

  /** The request went out and was given up: the provider may charge for it, so it is charged as estimated. */
  async abandoned(failure: FailureReason): Promise<void> {
    if (this.#ended) return;
    await this.#end({ tokens: this.#estimate(), estimated: true, httpStatus: 0, failure });
  }

  async notSent(): Promise<void> {
    await this.#end({ tokens: NO_TOKENS, estimated: false, httpStatus: 0, failure: "CANCELLED" });
  }

  async #end(end: Omit<Parameters<OpenAttempt["end"]>[0], "timeToFirstTokenMs">): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#open.end({ ...end, timeToFirstTokenMs: this.#firstTokenMs });
  }

  #estimate(): TokenCounts {
    const completionTokens = this.text ? this.#ports.counter.count(this.text, this.#leg.target.family) : 0;
    return { ...NO_TOKENS, promptTokens: this.#leg.fitted.budget.promptTokens, completionTokens };
  }
}
