import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { Call } from "../core/call.ts";
import { after, type Clock } from "../core/clock.ts";
import { SluiceError } from "../core/failure.ts";
import type { IdempotentCalls, IdempotentTurn, Outcome } from "../core/idempotency.ts";
import { type CallEvent, type CallEvents, repeat } from "./call-events.ts";
import { Flight } from "./flight.ts";
import { requestHash } from "./idempotency/request-hash.ts";
import type { CallReport } from "./report.ts";
import type { ValidInput } from "./validate.ts";

export interface OncePorts {
  readonly idempotency: IdempotentCalls;
  readonly clock: Clock;
}

interface KeyedCall {
  readonly call: Call;
  readonly valid: ValidInput;
  readonly report: CallReport;
}

/** Makes the answer, for a call that may outlive its caller. `isTakenOver` as of `IdempotentTurn`. */
type MakeAnswer = (call: Call, isTakenOver: boolean) => Promise<CallEvents>;

/**
 * The events of a call with an idempotency key: those that an earlier call with the same key and request got, once it is
 * over; else its own, whose outcome is kept before the caller learns of it.
 * @throws SluiceError IDEMPOTENCY_CONFLICT, STORE_UNAVAILABLE; the earlier call's failure; whatever making it throws.
 */
export async function* once(
  ports: OncePorts,
  { call, valid, report }: KeyedCall,
  make: MakeAnswer,
): AsyncGenerator<CallEvent, void, undefined> {
  const earlier = await report.trace.await(Stage.CACHE, () => begin(ports, call, valid));
  if (earlier.kind === "failure") throw new SluiceError(earlier.failure);
  if (earlier.kind === "completion") return yield* repeat(earlier.completion, earlier.isJson);
  const flight = new Flight<CallEvent>(
    (signal) => kept(ports.clock, earlier, { ...call, signal }, make),
    { sizeOf: () => 1, maxUnread: Number.POSITIVE_INFINITY },
    () => {},
  );
  const events = flight.follow(call.deadline, call.signal);
  accompany(ports.clock, flight, call).catch((error: unknown) => report.workLost(error));
  try {
    yield* events;
  } finally {
    // What the call costs is known at its end, whether or not its caller is still there.
    if (flight.isWanted) report.deferUntil(flight.ended);
  }
}

function begin(ports: OncePorts, call: Call, { input }: ValidInput): Promise<IdempotentTurn | Outcome> {
  const { tenant } = call.caller;
  const key = { tenant, key: input.idempotencyKey, requestHash: requestHash(tenant, input), callId: call.id };
  return ports.idempotency.begin(key, call.signal);
}

/**
 * The key is a passenger of its own until the deadline: it is a promise to come back, so that the work goes on where the
 * caller's connection is lost, and whoever repeats the call finds what was paid for.
 */
async function accompany(clock: Clock, flight: Flight<CallEvent>, { deadline }: Call): Promise<void> {
  const controller = new AbortController();
  const over = new SluiceError({ reason: "DEADLINE_EXCEEDED", stage: Stage.UNSPECIFIED, attempts: [] });
  const callOff = after(clock, deadline.remainingMs(), () => controller.abort(over));
  try {
    for await (const _event of flight.follow(deadline, controller.signal));
  } finally {
    callOff();
  }
}

async function* kept(
  clock: Clock,
  turn: IdempotentTurn,
  call: Call,
  make: MakeAnswer,
): AsyncGenerator<CallEvent, void, undefined> {
  // A store that is slow must not cost the caller an answer that is there: half of the time that is left, at most.
  const keep = (outcome: Outcome) => atMost(clock, call.deadline.remainingMs() / 2, turn.keep(outcome));
  let isJson = false;
  try {
    for await (const event of await make(call, turn.isTakenOver)) {
      if (event.kind === "started") ({ isJson } = event);
      if (event.kind === "finished") await keep({ kind: "completion", completion: event.completion, isJson });
      yield event;
    }
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome) await keep(outcome);
    throw error;
  } finally {
    // Does nothing where an outcome is kept.
    await turn.release();
  }
}

/**
 * The failure as an outcome to keep: where the model was paid and a repetition would only pay it again for the same.
 * Undefined for all others, after which a repetition may do better.
 */
export function outcomeOf(error: unknown): Outcome | undefined {
  if (!(error instanceof SluiceError)) return undefined;
  const { failure } = error;
  switch (failure.reason) {
    case "PARSE_FAILURE":
    case "SEMANTIC_FAILURE":
    case "CONTENT_FILTERED":
      return { kind: "failure", failure };
    default:
      return undefined;
  }
}

/** Waits for the work, but no longer; the work goes on. */
async function atMost(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const callOff = after(clock, ms, resolve);
  await Promise.race([work, promise]).finally(callOff);
}
