import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import type { CacheEntry, FlightLease, SharedCache, SharedLook } from "../core/cache.ts";
import type { Clock } from "../core/clock.ts";
import type { Deadline } from "../core/deadline.ts";
import type { Log } from "../core/log.ts";

/** How often somebody else's flight is looked at: a tenth of the time waited so far, within these. */
const LOOK_MIN_MS = 25;
const LOOK_MAX_MS = 250;

/** A lease that was good for less than this when it was last seen has run out, rather than been given back. */
const RUN_OUT_MS = 2 * LOOK_MAX_MS;

/** Who makes the answer: this process, or another one, which has made it. */
export type Turn =
  | {
      readonly kind: "lead";
      /** Absent where nobody can say who leads. */
      readonly lease?: FlightLease;
      /** Whether a process that led before went away without an answer. */
      readonly isTakenOver: boolean;
    }
  | {
      readonly kind: "taken";
      readonly entry: CacheEntry;
      readonly remainingMs: number;
      readonly status: typeof CacheStatus.JOINED | typeof CacheStatus.SHARED_HIT;
    };

export interface TurnPorts {
  readonly shared: SharedCache;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long those who want the answer have, and what says that none of them does any more. */
interface Waiting {
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
}

/**
 * Takes the lead among all processes that want this answer, or waits for the answer of the one that has it. When that
 * one gives up without an answer, everybody goes on alone: its error is its own. When it dies, one of those who wait
 * takes the lead and the others follow it: a second payment, since a lease cannot stop a provider.
 * @throws the signal's reason.
 */
export async function takeTurn(ports: TurnPorts, key: string, { signal, deadline }: Waiting): Promise<Turn> {
  let isTakenOver = false;
  for (;;) {
    const claim = await ports.shared.claim(key);
    if (claim.kind === "unknown") return { kind: "lead", isTakenOver };
    if (claim.kind === "lease") {
      const { lease, found } = claim;
      if (found.kind !== "hit") return { kind: "lead", lease, isTakenOver };
      // Another process stored it since we looked.
      await lease.release();
      return taken(found, CacheStatus.SHARED_HIT);
    }
    const end = await follow(ports, key, { signal, deadline });
    if (end.kind === "hit") return taken(end, CacheStatus.JOINED);
    if (end.kind === "unknown") return { kind: "lead", isTakenOver: false };
    if (end.kind === "given_up") return alone(await ports.shared.claim(key));
    isTakenOver = true;
    ports.log.warn("cache_leader_lost", { key });
  }
}

/** After a leader that gave up nobody waits for the next one, who might give up as well. */
async function alone(claim: Awaited<ReturnType<SharedCache["claim"]>>): Promise<Turn> {
  if (claim.kind !== "lease") return { kind: "lead", isTakenOver: false };
  if (claim.found.kind !== "hit") return { kind: "lead", lease: claim.lease, isTakenOver: false };
  await claim.lease.release();
  return taken(claim.found, CacheStatus.JOINED);
}

type Hit = Extract<SharedLook, { kind: "hit" }>;

function taken({ entry, remainingMs }: Hit, status: Extract<Turn, { kind: "taken" }>["status"]): Turn {
  return { kind: "taken", entry, remainingMs, status };
}

/** Waits until another process has stored the answer, given up, or died; or until nobody can say. */
async function follow(
  { shared, clock }: TurnPorts,
  key: string,
  { signal, deadline }: Waiting,
): Promise<Hit | { readonly kind: "given_up" | "died" | "unknown" }> {
  const startedMs = clock.monotonicMs();
  // As long as the lease was good for when it was last seen. Of one that is not yet seen it is taken to be young.
  let goodUntilMs = startedMs + 2 * RUN_OUT_MS;
  // A store that comes back empty has lost the lease, and its holder will have it back in a moment.
  let wasAway = false;
  for (;;) {
    const waitedMs = clock.monotonicMs() - startedMs;
    const nextMs = Math.min(Math.max(waitedMs / 10, LOOK_MIN_MS), LOOK_MAX_MS);
    await clock.sleep(Math.min(nextMs, Math.max(1, deadline.remainingMs())), signal);
    const seen = await shared.watch(key);
    const nowMs = clock.monotonicMs();
    if (seen?.found.kind === "hit") return seen.found;
    if (seen && seen.leaseMs > 0) {
      goodUntilMs = nowMs + seen.leaseMs;
      wasAway = false;
      continue;
    }
    wasAway ||= !seen;
    // Without a reply nobody knows whether its holder lives; it is waited for as long as its lease was good.
    if (wasAway && nowMs < goodUntilMs) continue;
    if (!seen) return { kind: "unknown" };
    return { kind: goodUntilMs - nowMs > RUN_OUT_MS ? "given_up" : "died" };
  }
}
