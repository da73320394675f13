import {
  CacheStatus,
  type Completion,
  type PromptReference,
  type Retrieval,
} from "../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { RestartCause } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { isOnlyAnothers } from "../core/budgets.ts";
import type { CacheEntry } from "../core/cache.ts";
import { SluiceError } from "../core/failure.ts";
import type { ModelTarget } from "../core/model.ts";
import type { AnswerEvent } from "./answer.ts";
import type { DraftedContext } from "./build-context.ts";
import { type OwnParts, promptReference, truncation, unpaid } from "./completion.ts";
import type { Asked } from "./find-answer.ts";
import type { Flight } from "./flight.ts";
import { withTextsOf } from "./retrieve/shown.ts";

/** What a caller sees of a call. The deltas since the last restart, joined, are the completion's text. */
export type CallEvent =
  /** Once, first, when there is something to show. */
  | {
      readonly kind: "started";
      /** The alias of the model that answers. */
      readonly model: string;
      readonly synthetic: boolean;
      readonly prompt?: PromptReference;
      readonly cacheStatus: CacheStatus;
      readonly isJson: boolean;
      readonly retrieval?: Retrieval;
    }
  | {
      readonly kind: "delta";
      readonly text: string;
      /** Whether it is all of an answer that is there already. */
      readonly isWhole?: boolean;
    }
  /** All deltas so far are void; the model is the one that answers now. */
  | { readonly kind: "restarted"; readonly cause: RestartCause; readonly model: string }
  /** Once, last. */
  | { readonly kind: "finished"; readonly completion: Completion };

export type CallEvents = AsyncIterable<CallEvent> | Iterable<CallEvent>;

/** An answer that is stored, as a caller's own. */
export function* replay(entry: CacheEntry, status: CacheStatus, asked: Asked): Generator<CallEvent> {
  const { completion } = entry;
  const own = unpaid(completion, status, ownParts(asked, true));
  yield started(own, status, asked.drafted);
  yield { kind: "delta", text: completion.text, isWhole: true };
  yield { kind: "finished", completion: own };
}

/** An answer that an earlier call with the same idempotency key got: its request need not be built again. */
export function* repeat(completion: Completion, isJson: boolean): Generator<CallEvent> {
  const { model, synthetic, prompt, retrieval } = completion;
  const cacheStatus = CacheStatus.REPLAYED;
  yield { kind: "started", model, synthetic, prompt, cacheStatus, isJson, retrieval };
  yield { kind: "delta", text: completion.text, isWhole: true };
  yield { kind: "finished", completion: unpaid(completion, cacheStatus) };
}

/** A place in a flight, of the one who began it and pays or of one who joined. */
export interface Seat {
  readonly flight: Flight<AnswerEvent>;
  readonly pays: boolean;
}

/**
 * An answer that is being made. Where the one who pays may not, whoever has joined takes another seat: one of them pays
 * then. Those whom the same budget would refuse are told so at once.
 */
export async function* attend(first: Seat, asked: Asked): AsyncGenerator<CallEvent, void, undefined> {
  for (let seat = first; ; seat = await asked.nextSeat()) {
    try {
      return yield* seat.pays ? pay(seat.flight, asked) : join(seat.flight, asked);
    } catch (error) {
      // It comes before anything is shown: once an attempt is paid for, the call fails with what became of that.
      const isAnothers = error instanceof SluiceError && isOnlyAnothers(error.failure, asked.report.payer);
      if (seat.pays || !isAnothers) throw error;
    }
  }
}

async function* join(flight: Flight<AnswerEvent>, asked: Asked): AsyncGenerator<CallEvent, void, undefined> {
  for await (const event of followed(flight, asked, CacheStatus.JOINED)) {
    yield event.kind === "finished" ? shared(event, asked) : event;
  }
}

async function* pay(flight: Flight<AnswerEvent>, asked: Asked): AsyncGenerator<CallEvent, void, undefined> {
  const cacheStatus = asked.policy.mayWrite ? CacheStatus.MISS : CacheStatus.BYPASSED;
  try {
    for await (const event of followed(flight, asked, cacheStatus)) {
      if (event.kind !== "finished" || !event.isTaken) yield event;
      else
        yield { ...event, completion: unpaid(event.completion, event.completion.cacheStatus, ownParts(asked, true)) };
    }
  } finally {
    // The caller may leave work that goes on for others. What it costs is still this call's, and known at its end.
    if (flight.isWanted) asked.report.deferUntil(flight.ended);
    else await flight.ended;
  }
}

/** What a flight sends, as its passengers see it. `isAsAsked` as of `ModelAnswer`. */
type FollowedEvent =
  | Exclude<CallEvent, { kind: "finished" }>
  | {
      readonly kind: "finished";
      readonly completion: Completion;
      readonly isAsAsked: boolean;
      /** Whether another process made it, so that nobody here pays. */
      readonly isTaken: boolean;
    };

async function* followed(
  flight: Flight<AnswerEvent>,
  asked: Asked,
  cacheStatus: CacheStatus,
): AsyncGenerator<FollowedEvent, void, undefined> {
  const { call, drafted, report } = asked;
  const leaveStage = report.trace.begin(Stage.CALL_MODEL);
  let hasStarted = false;
  try {
    for await (const event of flight.follow(call.deadline, call.signal)) {
      if (event.kind === "waiting") {
        // Others may have the time for this wait; a caller who has not is told at once.
        if (event.remainingMs() >= call.deadline.remainingMs()) throw new SluiceError(event.failure);
        continue;
      }
      if (event.kind === "taken") {
        const { completion } = event.entry;
        yield started({ ...completion, retrieval: retrievalFor(asked, completion) }, event.status, drafted);
        yield { kind: "delta", text: completion.text, isWhole: true };
        leaveStage();
        yield {
          kind: "finished",
          completion: { ...completion, cacheStatus: event.status },
          isAsAsked: true,
          isTaken: true,
        };
        continue;
      }
      if (!hasStarted) yield startedWith(event.target, cacheStatus, asked);
      hasStarted = true;
      if (event.kind === "restarted") {
        yield { kind: "restarted", cause: event.cause, model: event.target.alias };
        continue;
      }
      if (event.kind === "delta") {
        yield event;
        continue;
      }
      leaveStage();
      for (const [stage, ms] of event.timings) report.trace.set(stage, ms);
      const { isAsAsked } = event;
      yield { kind: "finished", completion: { ...event.completion, cacheStatus }, isAsAsked, isTaken: false };
    }
  } finally {
    leaveStage();
  }
}

function startedWith({ alias: model, synthetic }: ModelTarget, cacheStatus: CacheStatus, asked: Asked) {
  return started({ model, synthetic, retrieval: retrievalFor(asked, asked.drafted) }, cacheStatus, asked.drafted);
}

/** What was retrieved for a call, with the texts of another retrieval of the same chunks. */
function retrievalFor({ built }: Asked, { retrieval }: { readonly retrieval?: Retrieval }): Retrieval | undefined {
  return built.retrieval && withTextsOf(built.retrieval, retrieval);
}

/** @param answer or the model that is about to give it. */
function started(
  { model, synthetic, retrieval }: Pick<Completion, "model" | "synthetic" | "retrieval">,
  cacheStatus: CacheStatus,
  { draft }: DraftedContext,
): Extract<CallEvent, { kind: "started" }> {
  const prompt = promptReference(draft.prompt);
  return { kind: "started", model, synthetic, prompt, cacheStatus, isJson: draft.output.kind === "json", retrieval };
}

/** The end of an answer that others pay, as this caller's own. */
function shared(
  { completion, isAsAsked }: Extract<FollowedEvent, { kind: "finished" }>,
  asked: Asked,
): Extract<CallEvent, { kind: "finished" }> {
  return { kind: "finished", completion: unpaid(completion, completion.cacheStatus, ownParts(asked, isAsAsked)) };
}

/**
 * Prompt and truncation are a caller's own: different prompts, cut differently, can ask the same question. Of an answer
 * that was not made as asked (by a fallback, say) the truncation stays.
 */
function ownParts({ drafted, built, report }: Asked, isAsAsked: boolean): OwnParts {
  const prompt = promptReference(drafted.draft.prompt);
  // What was paid for before it was known that the answer costs nothing.
  const charged = report.charges?.started ? report.charges.total() : undefined;
  const { retrieval } = built;
  return isAsAsked ? { prompt, charged, retrieval, truncation: truncation(built.dropped) } : { prompt, charged };
}
