import { type ChatModel, type ModelEvent, type ModelRequest, UpstreamError } from "../../src/core/model.ts";
import type { TokenCounts } from "../../src/core/money.ts";
import { answerText, cutAt } from "./answer-texts.ts";
import { kindOf } from "./fault-classes.ts";
import type { UpstreamAttempt } from "./observation.ts";
import type { ModelPlan } from "./plan.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const ABSURD_TOKENS = 100_000_000;
/** What a server reads of a prompt that is cut to its window without a word. */
export const SMALL_WINDOW_TOKENS = 1_100;

/** What opens an attempt; it knows who waits, and what is in the ledger. */
export type OpenAttempt = (model: ModelPlan, request: ModelRequest) => UpstreamAttempt;

/** The paid model of a run: its attempts go as the plan says, in virtual time. */
export function scriptedProvider(clock: VirtualClock, model: ModelPlan, open: OpenAttempt): ChatModel {
  return {
    async *complete(request, signal) {
      signal.throwIfAborted();
      const attempt = open(model, request);
      try {
        yield* play(clock, attempt, signal);
      } finally {
        end(clock, attempt, "left");
        attempt.isClosed = true;
      }
    },
  };
}

/** The first end is the end. */
function end(clock: VirtualClock, attempt: UpstreamAttempt, how: NonNullable<UpstreamAttempt["end"]>): void {
  attempt.end ??= how;
  attempt.over ??= { ms: clock.monotonicMs(), order: clock.tick() };
}

/** The origin of an answer, written into its text. */
export function tagOf(callId: string, attempt: number): string {
  return `${callId}#${attempt}.`;
}

async function* play(clock: VirtualClock, attempt: UpstreamAttempt, signal: AbortSignal): AsyncGenerator<ModelEvent> {
  const { outcome, request, caller } = attempt;
  const text = answerText(outcome.fault, caller.question, tagOf(request.callId, request.attempt));
  const kind = kindOf(outcome.fault);
  const pieces = cutAt(text, outcome.cuts);
  if (outcome.delayMs > 0) await clock.pause(outcome.delayMs, signal);
  for (const piece of kind ? pieces.slice(0, deltasBefore(attempt)) : pieces) {
    signal.throwIfAborted();
    attempt.text += piece;
    yield { kind: "delta", text: piece };
    if (outcome.gapMs > 0) await clock.pause(outcome.gapMs, signal);
  }
  signal.throwIfAborted();
  if (outcome.fault === "stall") await clock.pause(request.timeouts.idleMs, signal);
  attempt.kind = kind;
  if (kind) end(clock, attempt, "failed");
  if (outcome.fault === "no_end") return;
  if (kind) throw failure(attempt);
  attempt.reported = usage(attempt, text);
  end(clock, attempt, "answered");
  const finish = outcome.fault === "truncated" || outcome.fault === "length_whole" ? "length" : "stop";
  yield { kind: "end", finish, usage: attempt.reported, servedModel: `${request.providerModel}-0101` };
}

/** A connection that breaks inside an answer has sent some of it. */
function deltasBefore({ outcome }: UpstreamAttempt): number {
  return outcome.fault === "cut" || outcome.fault === "no_end" ? outcome.deltasBefore + 1 : outcome.deltasBefore;
}

function failure(attempt: UpstreamAttempt): UpstreamError {
  const { outcome, kind = "unknown", request } = attempt;
  attempt.toldMs = outcome.waitMs;
  attempt.reported = outcome.reportsUsage ? counts(promptTokens(request), 3) : undefined;
  const { httpStatus, waitMs, retry, limit, maxOutputTokens } = outcome;
  const requested = limit === undefined ? undefined : limit + 50;
  const fields = { kind, httpStatus, waitMs, retry, limit, requested, maxOutputTokens };
  return new UpstreamError({ ...fields, usage: attempt.reported });
}

function usage({ outcome, request }: UpstreamAttempt, text: string): TokenCounts | undefined {
  if (outcome.fault === "usage_missing") return undefined;
  if (outcome.fault === "usage_absurd") return counts(ABSURD_TOKENS, ABSURD_TOKENS);
  if (outcome.fault === "read_a_part") return counts(SMALL_WINDOW_TOKENS, 9);
  return outcome.reportsUsage ? counts(promptTokens(request), text.split(/\s+/).length) : undefined;
}

/** About what the pipeline counts itself: a word is a token, and a little for each message. */
function promptTokens({ messages }: ModelRequest): number {
  return messages.reduce((sum, { text }) => sum + text.split(/\s+/).length + 3, 3);
}

function counts(prompt: number, completion: number): TokenCounts {
  return {
    promptTokens: prompt,
    cachedPromptTokens: Math.floor(prompt / 4),
    completionTokens: completion,
    reasoningTokens: Math.floor(completion / 3),
  };
}
