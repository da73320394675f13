import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { BuiltRequest } from "../core/cache.ts";
import type { Call } from "../core/call.ts";
import type { AnswerEvent } from "./answer.ts";
import type { DraftedContext } from "./build-context.ts";
import { type CachePolicy, type CachePorts, lookUp } from "./cache.ts";
import { attend, type CallEvents, replay, type Seat } from "./call-events.ts";
import type { Flights } from "./flight.ts";
import type { CallReport } from "./report.ts";

/** A call that asked, and what its request was built to. Callers of one answer can have asked it in different ways. */
export interface Asked {
  readonly call: Call;
  readonly report: CallReport;
  readonly drafted: DraftedContext;
  readonly built: BuiltRequest;
  readonly policy: CachePolicy;
  /** A place in the flight that is making the answer now, or in one of the call's own. */
  readonly nextSeat: () => Promise<Seat>;
}

export interface FindPorts {
  readonly cache: CachePorts;
  readonly flights: Flights<AnswerEvent>;
}

/** The answer, where there is one; and whether the shared layer is there to say who else is making it. */
export interface Found {
  readonly answer?: CallEvents;
  readonly sharedIsUp: boolean;
}

/** An answer that is stored, or that an identical call is about to get. */
export async function findAnswer(ports: FindPorts, asked: Asked): Promise<Found> {
  const { call, report, drafted, policy } = asked;
  const key = asked.built.contentKey;
  report.asked = { prompt: drafted.draft.prompt, target: drafted.target, key };
  if (!policy.mayRead) return { sharedIsUp: false };
  const underWay = () => (policy.mayJoin ? ports.flights.find(key) : undefined);
  const found = await report.trace.await(Stage.CACHE, () => lookUp(ports.cache, key, underWay));
  if ("entry" in found) return { answer: replay(found.entry, found.status, asked), sharedIsUp: true };
  // The caller may have left meanwhile: nothing is begun for it.
  call.signal.throwIfAborted();
  if (!("flight" in found)) return found;
  ports.cache.tally.joined += 1;
  return { answer: attend({ flight: found.flight, pays: false }, asked), sharedIsUp: true };
}
