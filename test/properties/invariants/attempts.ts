import assert from "node:assert/strict";
import { type Attempt, AttemptCause, AttemptCauseSchema } from "../../../gen/sluice/v1/attempt_pb.ts";
import { CacheMode } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { isGoodAnswer } from "../answer-texts.ts";
import { nameOf } from "../enum-name.ts";
import type { Observation, SeenCaller, UpstreamAttempt } from "../observation.ts";
import { SMALL_WINDOW_TOKENS } from "../scripted-provider.ts";

/** All causes together spend one budget; corrections have a smaller one inside it. */
export function attemptsStayWithinTheBudget({ plan, attempts, callers }: Observation): void {
  for (const caller of callers) {
    const own = attempts.filter((attempt) => attempt.caller === caller);
    assert.ok(own.length <= plan.retry.maxAttempts, `${caller.id} made ${own.length} attempts`);
    const listed = listedAttempts(caller);
    const corrections = listed.filter(({ cause }) => cause === AttemptCause.CORRECTION);
    assert.ok(
      corrections.length <= plan.retry.maxCorrections,
      `${caller.id} was corrected ${corrections.length} times`,
    );
  }
}

/** A request begins only while somebody waits for its answer and has time left. */
export function nothingIsSentForNobody({ attempts }: Observation): void {
  for (const attempt of attempts) assert.ok(attempt.wasWanted, `${labelOf(attempt)} was sent when nobody waited`);
}

/** Work that nobody waits for any more is given up in the same moment, not at its end. */
export function cancelMeansStop({ attempts, callers }: Observation): void {
  for (const attempt of attempts) {
    const { caller, over } = attempt;
    const waiting = callers.filter(
      ({ plan }) => plan.question === caller.plan.question && plan.tenant === caller.plan.tenant,
    );
    const lastMs = Math.max(...waiting.map(({ aborted, settled }) => aborted?.ms ?? settled?.ms ?? Infinity));
    assert.ok(over && over.ms <= lastMs, `${labelOf(attempt)} went on until ${over?.ms}, wanted until ${lastMs}`);
  }
}

/** No more requests to a model at once than its limit. */
export function slotsAreRespected({ attempts }: Observation): void {
  for (const { model, openWithIt } of attempts) {
    if (model.synthetic) continue;
    assert.ok(openWithIt <= model.maxConcurrency, `${openWithIt} requests to ${model.alias} at once`);
  }
}

/** What the caller is told of its attempts is what the provider saw, in order, and what each was made for. */
export function attemptsAreListedAsTheyWere({ attempts, callers, plan }: Observation): void {
  for (const caller of callers) {
    const listed = listedAttempts(caller);
    const own = attempts.filter((attempt) => attempt.caller === caller).length;
    if (caller.completion) assert.equal(listed.length, own, `${caller.id} is told of ${listed.length} of ${own}`);
    for (const [index, attempt] of listed.entries()) {
      const before = listed[index - 1];
      const aliases = plan.models.map(({ alias }) => alias);
      assert.equal(attempt.number, index + 1, `${caller.id}: attempt ${attempt.number} in place ${index + 1}`);
      assert.ok(aliases.includes(attempt.model), `${caller.id}: an attempt of ${attempt.model}`);
      checkCause(caller, attempt, before, plan);
    }
  }
}

function checkCause(
  caller: SeenCaller,
  attempt: Attempt,
  before: Attempt | undefined,
  plan: Observation["plan"],
): void {
  const where = `${caller.id}: attempt ${attempt.number} of ${attempt.model}`;
  const { cause } = attempt;
  if (!before) {
    // The gate may refuse the first model, so that a fallback is the first to be asked.
    const isFirst = cause === AttemptCause.FIRST || cause === AttemptCause.FALLBACK;
    assert.ok(isFirst, `${where} has the cause ${nameOf(AttemptCauseSchema, cause)}`);
    return;
  }
  assert.notEqual(cause, AttemptCause.FIRST, `${where} says that it is the first`);
  const moves = cause === AttemptCause.FALLBACK || cause === AttemptCause.ESCALATION;
  if (!moves) assert.equal(attempt.model, before.model, `${where} follows ${before.model}`);
  if (cause === AttemptCause.ESCALATION) {
    const stronger = plan.models.map(({ escalateTo }) => escalateTo);
    assert.ok(stronger.includes(attempt.model), `${where} is no escalation`);
  }
}

/** An answer to a part of the prompt is none: the provider's own count tells. */
export function answersAreToTheWholePrompt({ attempts, callers, records }: Observation): void {
  for (const { completion, id } of callers) {
    const last = completion?.attempts.at(-1);
    const origin = attempts.find(
      ({ request, outcome }) =>
        outcome.fault === "read_a_part" && completion?.text.includes(`${request.callId}#${request.attempt}.`),
    );
    if (!last || !origin || origin.model.synthetic) continue;
    const start = records.find(
      ({ record }) => record.type === "attempt_started" && record.call_id === id && record.attempt === last.number,
    );
    const sent = start?.record.type === "attempt_started" ? start.record.estimated_prompt_tokens : 0;
    assert.ok(sent < 2.5 * SMALL_WINDOW_TOKENS, `${id} got an answer to a part of its ${sent} tokens`);
  }
}

/** What a model refuses for good is not sent to it again as it was; what a filter stops is sent to nobody else. */
export function refusalsAreNotRetried({ attempts }: Observation): void {
  for (const [index, attempt] of attempts.entries()) {
    if (!refusals.has(attempt.kind) || attempt.outcome.retry) continue;
    const next = attempts.slice(index + 1).find(({ caller }) => caller === attempt.caller);
    assert.notEqual(next?.model, attempt.model, `${labelOf(attempt)} was followed by another of the same model`);
    const isFiltered = attempt.kind === "content_filtered_input" || attempt.kind === "content_filtered_output";
    if (isFiltered) assert.equal(next, undefined, `${labelOf(attempt)} was carried to another model`);
  }
}

const refusals: ReadonlySet<string | undefined> = new Set([
  "exceeds_rate_window",
  "quota_exhausted",
  "content_filtered_input",
  "content_filtered_output",
  "auth_invalid",
  "permission_denied",
  "model_not_found",
  "request_refused",
]);

/** Of identical calls that may share an answer, one makes requests at a time. */
export function identicalCallsShareOneRequest({ attempts }: Observation): void {
  const shared = attempts.filter(({ caller }) => mayShare(caller));
  for (const attempt of shared) {
    const other = shared.find(
      ({ begun, over, caller }) =>
        caller !== attempt.caller &&
        caller.plan.question === attempt.caller.plan.question &&
        caller.plan.tenant === attempt.caller.plan.tenant &&
        begun.order < attempt.begun.order &&
        (!over || over.order > attempt.begun.order),
    );
    assert.equal(other && labelOf(other), undefined, `${labelOf(attempt)} was paid for a second time`);
  }
}

function mayShare({ plan }: SeenCaller): boolean {
  return plan.cacheMode === CacheMode.UNSPECIFIED || plan.cacheMode === CacheMode.ONLY_IF_CACHED;
}

/** The answer is one that the model gave, whole and good, and it is said who gave it. */
export function answersAreWhatTheModelSaid({ attempts, callers, echoes }: Observation): void {
  for (const caller of [...callers, ...echoes.map((echo) => echo.caller)]) {
    const { completion } = caller;
    if (!completion) continue;
    const origin = attempts.find(({ request }) => completion.text.includes(`${request.callId}#${request.attempt}.`));
    assert.ok(origin, `${caller.id} got a text that no attempt wrote: ${completion.text}`);
    assert.equal(origin.end, "answered", `${caller.id} got the text of ${labelOf(origin)}, which did not end`);
    assert.ok(isGoodAnswer(origin.outcome.fault, origin.caller.question), `${caller.id} got a bad answer`);
    assert.equal(completion.model, origin.model.alias, `${caller.id} is told the wrong model`);
    assert.equal(completion.providerModel, `${origin.request.providerModel}-0101`);
    assert.equal(origin.caller.plan.tenant, caller.plan.tenant, `${caller.id} got another tenant's answer`);
    assert.equal(origin.caller.plan.question, caller.plan.question, `${caller.id} got another question's answer`);
    if (origin.outcome.fault === "wrapped_json") continue;
    const said = origin.caller.question.output === "json" ? origin.text.trim() : origin.text;
    assert.equal(completion.text, said, `${caller.id} got a changed text`);
  }
}

/** The attempts that a caller is told of. */
export function listedAttempts({ completion, failure }: SeenCaller): readonly Attempt[] {
  if (completion) return completion.attempts;
  return failure && "attempts" in failure ? failure.attempts : [];
}

export function labelOf({ request, model, outcome }: UpstreamAttempt): string {
  return `attempt ${request.attempt} of ${request.callId} at ${model.alias} (${outcome.fault})`;
}
