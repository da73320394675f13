import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import type { EmbeddingTarget } from "../../core/embedding.ts";
import type { Failure } from "../../core/failure.ts";
import type { Log } from "../../core/log.ts";
import type { UpstreamErrorFields, UpstreamErrorKind } from "../../core/model.ts";
import { type FailedLeg, failureAfter, reasonOf } from "../call-model/failure.ts";
import { type NextStep, nextStep } from "../call-model/next-step.ts";
import { awaitTurn, type Turn, type TurnLeg, type TurnPorts } from "../call-model/turn.ts";
import { Portion } from "./portion.ts";
import { type RequestOutcome, type RequestPorts, requestVectors } from "./request.ts";
import type { TextWork } from "./work.ts";

export interface BatchPorts extends TurnPorts, RequestPorts {
  readonly log: Log;
}

/** Texts that go to one model, at most as many as it takes in one request. */
export interface Batch {
  readonly target: EmbeddingTarget;
  readonly works: readonly TextWork[];
  /** Takes texts that have to be asked for in another batch. */
  readonly giveBack: (works: readonly TextWork[]) => void;
}

/** Failures that one text of several can be the cause of. */
const mayBeOneText: ReadonlySet<UpstreamErrorKind> = new Set([
  "request_refused",
  "context_overflow",
  "payload_too_large",
  "content_filtered_input",
  "exceeds_rate_window",
]);

/** So many texts refused alone, and none taken, are no fault of the texts. */
const MAX_REFUSED_ALONE = 3;

/** What a batch has met so far, in all its portions. */
interface Met {
  isSplit: boolean;
  isAnyTaken: boolean;
  refusedAlone: number;
}

/**
 * Asks for the vectors of a batch until every text has its own or has failed. Where the provider refuses it for what may
 * be the fault of one text, it is asked for in halves, so that nobody fails for a neighbour's text. Never rejects.
 */
export async function runBatch(ports: BatchPorts, batch: Batch): Promise<void> {
  const met: Met = { isSplit: false, isAnyTaken: false, refusedAlone: 0 };
  const left = [batch.works];
  for (let works = left.pop(); works; works = left.pop()) {
    const portion = new Portion(works);
    if (portion.works.length === 0) continue;
    try {
      const halves = await askFor(ports, { ...batch, portion, met });
      left.push(...halves.toReversed());
      met.isSplit ||= halves.length > 0;
    } catch (error) {
      // Whoever is left is told; of what nobody is told, the log must tell.
      if (portion.signal.aborted && error === portion.signal.reason) continue;
      if (portion.works.length === 0) ports.log.error("embedding_lost", { model: batch.target.alias, error });
      for (const work of portion.works) work.lost(error);
    }
  }
}

interface Question extends Batch {
  readonly portion: Portion;
  readonly met: Met;
}

/** Asks for a portion until it is answered or has failed. Resolves to the halves that are to be asked for instead. */
async function askFor(ports: BatchPorts, question: Question): Promise<readonly (readonly TextWork[])[]> {
  const { target, portion, met, giveBack } = question;
  let leg = legOf(target, met.isSplit ? AttemptCause.RETRY : AttemptCause.FIRST);
  for (let failuresInRow = 1; ; failuresInRow += 1) {
    const turn = await takeTurn(ports, portion, leg);
    if (turn.kind === "refused") {
      for (const work of portion.works) work.failed((asker) => asker.own(turn.failure));
      return [];
    }
    const { pass, waitedMs: waitMs } = turn;
    let outcome: RequestOutcome;
    try {
      outcome = await requestVectors(ports, portion, { target, cause: leg.cause, waitMs, pass, giveBack });
    } finally {
      pass.end("abandoned");
    }
    met.isAnyTaken ||= outcome.kind === "answered";
    if (outcome.kind !== "failed") return [];
    logFailure(ports.log, target, outcome);
    const { fields } = outcome.error;
    const step = stepAfter(ports, portion, fields, failuresInRow);
    if (step.kind === "again") {
      leg = retryOf(leg, step, fields);
      continue;
    }
    const halves = halvesOf(outcome, fields.kind);
    if (halves.length === 0) giveUp(question, outcome.works, fields);
    return halves;
  }
}

async function takeTurn(ports: BatchPorts, portion: Portion, leg: TurnLeg): Promise<Turn> {
  const { charges, signal, deadline } = portion;
  // Without anybody to charge there is nobody who waits.
  if (!charges) throw signal.reason;
  const turn = awaitTurn(ports, { charges, signal, deadline, shortestDeadline: deadline }, leg, () => false);
  try {
    for (;;) {
      const next = await turn.next();
      if (next.done) return next.value;
      portion.waits(next.value);
    }
  } finally {
    portion.goesOn();
  }
}

/** The built-in model has no provider that anybody must be kept from. */
function legOf(target: EmbeddingTarget, cause: AttemptCause): TurnLeg {
  const asked = target.isBuiltIn ? { ...target, synthetic: true } : target;
  const overflow = (): Failure => overflowFailure(target, { tokens: 0, field: "texts", reportedByProvider: true });
  return { target: asked, cause, overflow };
}

function retryOf(leg: TurnLeg, step: Extract<NextStep, { kind: "again" }>, fields: UpstreamErrorFields): TurnLeg {
  const wait = { ms: step.waitMs, isTold: step.isTold, failure: failureAfter(fields, leg, []) };
  return { ...leg, cause: AttemptCause.RETRY, wait };
}

function stepAfter(
  { retry, clock }: BatchPorts,
  portion: Portion,
  fields: UpstreamErrorFields,
  failuresInRow: number,
): NextStep {
  // A model that twice sends what is no vector will do so a third time, and every one of them is paid for.
  const isHopeless = fields.kind === "bad_vectors" && failuresInRow > 1;
  if (isHopeless || failuresInRow >= retry.maxAttempts) return { kind: "give_up" };
  return nextStep(fields, {
    policy: retry,
    failuresInRow,
    remainingMs: portion.deadline.remainingMs(),
    hasNextModel: false,
    random: clock.random(),
  });
}

/** None where the failure is no text's fault, or the fault of the only one. */
function halvesOf(
  { works, calls }: Extract<RequestOutcome, { kind: "failed" }>,
  kind: UpstreamErrorKind,
): readonly (readonly TextWork[])[] {
  // A call with a text that has no vector fails anyway: its other texts are not paid for again to find out which.
  const isDivisible = mayBeOneText.has(kind) || (kind === "bad_vectors" && calls > 1);
  if (!isDivisible || works.length < 2) return [];
  const middle = Math.ceil(works.length / 2);
  return [works.slice(0, middle), works.slice(middle)];
}

function giveUp({ target, met, works: all }: Question, works: readonly TextWork[], fields: UpstreamErrorFields) {
  const fail = (work: TextWork) =>
    work.failed((asker, field) => {
      const limit = fields.kind === "context_overflow" ? fields.limit : undefined;
      const overflow = () => overflowFailure(target, { tokens: work.tokens, field, limit, reportedByProvider: true });
      return failureAfter(fields, { target, overflow } satisfies FailedLeg, asker.attempts);
    });
  for (const work of works) fail(work);
  if (fields.kind !== "request_refused" || works.length > 1) return;
  met.refusedAlone += 1;
  // The request itself is what the provider refuses: asking for each of the others would tell nothing else.
  if (!met.isAnyTaken && met.refusedAlone >= MAX_REFUSED_ALONE) for (const work of all) fail(work);
}

/** The failure of a text that the model does not take, by the path that its caller knows it by. */
export function overflowFailure(
  target: EmbeddingTarget,
  text: {
    readonly tokens: number;
    readonly field: string;
    /** Where the provider told it. */
    readonly limit?: number | undefined;
    readonly reportedByProvider: boolean;
  },
): Failure {
  const { tokens, field, limit, reportedByProvider } = text;
  return {
    reason: "CONTEXT_OVERFLOW",
    promptTokens: tokens,
    reservedOutputTokens: 0,
    windowTokens: limit ?? target.maxInputTokens,
    largestPart: field,
    largestPartTokens: tokens,
    reportedByProvider,
  };
}

function logFailure(
  log: Log,
  target: EmbeddingTarget,
  { error, callId, attempt, works, calls }: Extract<RequestOutcome, { kind: "failed" }>,
): void {
  const { kind, httpStatus, waitMs, code } = error.fields;
  const line = {
    ...{ call_id: callId, tenant: works[0]?.asked.tenant, model: target.alias, provider: target.provider.id, attempt },
    ...{ kind, http_status: httpStatus, wait_ms: waitMs, code, texts: works.length, calls },
  };
  // What only an operator can mend is more than the day's weather.
  if (reasonOf[kind] === "PROVIDER_MISCONFIGURED" || kind === "quota_exhausted") log.warn("attempt_failed", line);
  else log.info("attempt_failed", line);
}
