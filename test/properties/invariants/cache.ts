import assert from "node:assert/strict";
import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { CacheMode } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, CacheStatusSchema, FinishReason } from "../../../gen/sluice/v1/completion_pb.ts";
import { isGoodAnswer } from "../answer-texts.ts";
import { nameOf } from "../enum-name.ts";
import type { Observation, SeenCaller } from "../observation.ts";

/** Only whole answers are stored, from the model that was asked for or the one it escalates to. */
export function onlyGoodAnswersAreStored({ plan, attempts, writes }: Observation): void {
  for (const { completion } of writes) {
    const origin = attempts.find(({ request }) => completion.text.includes(`${request.callId}#${request.attempt}.`));
    assert.ok(origin, "something was stored that no attempt wrote");
    const what = `the answer of ${origin.model.alias} to ${origin.caller.id} (${origin.outcome.fault})`;
    assert.equal(completion.finishReason, FinishReason.STOP, `${what} was stored although it is cut`);
    assert.ok(isGoodAnswer(origin.outcome.fault, origin.caller.question), `${what} was stored although it is bad`);
    const allowed = askedModels(origin.caller, plan);
    assert.ok(allowed.includes(completion.model), `${what} was stored, but asked for was ${allowed.join(" or ")}`);
    const moves = completion.attempts.filter(({ cause }) => isMove(cause));
    assert.notEqual(moves.at(-1)?.cause, AttemptCause.FALLBACK, `${what} was stored although a fallback gave it`);
    assert.notEqual(origin.caller.plan.cacheMode, CacheMode.BYPASS, `${what} was stored although it bypasses`);
  }
}

/** A key belongs to one tenant and one question. */
export function keysKeepTenantsApart({ attempts, writes }: Observation): void {
  const owners = new Map<string, string>();
  for (const { key, completion } of writes) {
    const origin = attempts.find(({ request }) => completion.text.includes(`${request.callId}#${request.attempt}.`));
    const owner = `${origin?.caller.plan.tenant} ${origin?.caller.plan.question}`;
    assert.equal(owners.get(key) ?? owner, owner, "two owners share a cache key");
    owners.set(key, owner);
  }
}

/** What comes from elsewhere says so, costs nothing, and counts no attempts. */
export function onlyThePayerPays({ callers, attempts }: Observation): void {
  for (const caller of callers) {
    const { completion, plan } = caller;
    if (!completion) continue;
    const isPaid = completion.cacheStatus === CacheStatus.MISS || completion.cacheStatus === CacheStatus.BYPASSED;
    const own = attempts.filter((attempt) => attempt.caller === caller).length;
    assert.equal(
      own > 0,
      isPaid,
      `${caller.id} made ${own} attempts and says ${nameOf(CacheStatusSchema, completion.cacheStatus)}`,
    );
    if (!isPaid) assert.equal(completion.costNanoUsd, 0n, `${caller.id} pays for another's answer`);
    if (plan.cacheMode === CacheMode.BYPASS) assert.equal(completion.cacheStatus, CacheStatus.BYPASSED);
    if (plan.cacheMode === CacheMode.REFRESH) assert.equal(completion.cacheStatus, CacheStatus.MISS);
    if (plan.cacheMode === CacheMode.ONLY_IF_CACHED) assert.equal(isPaid, false, `${caller.id} asked the model`);
  }
}

/** Asked again after a good answer, a question is answered from the cache: the same text, no request, no cost. */
export function goodAnswersAreFoundAgain({ plan, callers, echoes }: Observation): void {
  for (const { of, caller, requests } of echoes) {
    if (!isPlainGood(of, plan)) continue;
    assert.equal(requests, 0, `${caller.id} was sent although ${of.id} was answered well`);
    assert.ok(caller.completion, `${caller.id} failed with ${caller.failure?.reason}`);
    assert.equal(caller.completion.cacheStatus, CacheStatus.MEMORY_HIT, `${caller.id} was not answered from memory`);
    assert.equal(caller.completion.costNanoUsd, 0n);
    const paid = callers.filter(({ plan: p }) => p.question === of.plan.question && p.tenant === of.plan.tenant);
    assert.ok(
      paid.some(({ completion }) => completion?.text === caller.completion?.text),
      `${caller.id} got a text that nobody got before`,
    );
  }
}

/** An answer that must be in the cache: nothing about it is special. */
function isPlainGood({ plan: { cacheMode }, completion, question }: SeenCaller, plan: Observation["plan"]): boolean {
  if (cacheMode === CacheMode.BYPASS || completion?.finishReason !== FinishReason.STOP) return false;
  const plain: AttemptCause[] = [
    AttemptCause.FIRST,
    AttemptCause.RETRY,
    // A longer answer and the words that correct one take room; where the prompt gave it, it is another question.
    ...(question.chunks + question.turns === 0 ? [AttemptCause.CORRECTION, AttemptCause.OUTPUT_LIMIT] : []),
    AttemptCause.ESCALATION,
  ];
  // The schema in words takes room too, also where it is only remembered that the provider wants it so.
  if (question.output === "json" && completion.truncation) return false;
  return plan.hasPrices && completion.attempts.every(({ cause }) => plain.includes(cause));
}

function isMove(cause: AttemptCause): boolean {
  return cause === AttemptCause.FALLBACK || cause === AttemptCause.ESCALATION;
}

/** The model that was asked for, and those that its answers escalate to. */
function askedModels({ question }: SeenCaller, plan: Observation["plan"]): string[] {
  const found: string[] = [];
  let alias = question.model || plan.models[0]?.alias;
  while (alias !== undefined && !found.includes(alias)) {
    found.push(alias);
    alias = plan.models.find((model) => model.alias === alias)?.escalateTo;
  }
  return found;
}
