import * as attempts from "./invariants/attempts.ts";
import * as cache from "./invariants/cache.ts";
import * as failures from "./invariants/failures.ts";
import * as leftovers from "./invariants/leftovers.ts";
import * as money from "./invariants/money.ts";
import * as streams from "./invariants/streams.ts";
import * as waits from "./invariants/waits.ts";
import type { Observation } from "./observation.ts";

/** What must be true of every run, whatever happened in it. Each throws where it is not. */
export const invariants: readonly ((run: Observation) => void)[] = [
  leftovers.nothingIsLeftOver,
  failures.nothingIsInternal,
  attempts.attemptsStayWithinTheBudget,
  attempts.nothingIsSentForNobody,
  attempts.cancelMeansStop,
  attempts.slotsAreRespected,
  attempts.attemptsAreListedAsTheyWere,
  attempts.refusalsAreNotRetried,
  attempts.identicalCallsShareOneRequest,
  attempts.answersAreWhatTheModelSaid,
  attempts.answersAreToTheWholePrompt,
  waits.toldWaitsAreKept,
  waits.toldWaitsAreShared,
  waits.noSleepOutlivesTheDeadline,
  waits.retriesBackOff,
  money.everyAttemptIsRecordedOnce,
  money.everyCallHasOneRow,
  money.tokensAreChargedAsReported,
  money.totalsAreSums,
  streams.streamsEndOnce,
  streams.deltasMakeTheText,
  streams.sequenceHasNoGaps,
  streams.cleanAnswersAreNotRepaired,
  streams.restartsSayWhatFollows,
  streams.partsAgreeWithTheAnswer,
  cache.onlyGoodAnswersAreStored,
  cache.keysKeepTenantsApart,
  cache.onlyThePayerPays,
  cache.goodAnswersAreFoundAgain,
  failures.failuresHaveACause,
  failures.oneCauseHasOneReason,
  failures.callsDoNotEndEarly,
  failures.toldFailuresSayTheTrueWait,
  failures.nothingLeaks,
];

/** An invariant that a run breaks. */
export class BrokenInvariant extends Error {
  readonly invariant: string;

  constructor(invariant: string, cause: unknown) {
    super(`${invariant}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "BrokenInvariant";
    this.invariant = invariant;
  }
}

/** @throws BrokenInvariant for the first one that does not hold. */
export function checkInvariants(run: Observation): void {
  for (const invariant of invariants) {
    try {
      invariant(run);
    } catch (error) {
      throw new BrokenInvariant(invariant.name, error);
    }
  }
}
