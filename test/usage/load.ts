import { type SeenCall, WeekCaller } from "../../bench/week/callers.ts";
import { weekTenants } from "../../bench/week/cast.ts";
import { type Kind, type PlannedCall, planWeek } from "../../bench/week/plan.ts";
import type { WeekUpstream } from "../../bench/week/upstream.ts";

/** Calls at one service, until they are told to end. */
export interface Load {
  /** Calls that have ended so far. */
  readonly ended: number;
  /** Resolves when so many have ended, before anything else is done with the last of them. */
  reached(calls: number): Promise<void>;
  /** Begins no more calls. Resolves when all have ended, whichever way, with what their callers saw. */
  end(): Promise<readonly SeenCall[]>;
}

export interface LoadOptions {
  readonly address: string;
  readonly upstream: WeekUpstream;
  readonly seed: number;
  /** In the names of its questions, so that no other load asks the same. */
  readonly name: string;
  readonly kinds: ReadonlySet<Kind>;
  /** Calls under way at once. */
  readonly concurrency: number;
  /** How long each caller waits between its calls. Default: not at all. */
  readonly pauseMs?: number;
}

/** Begins a load of unary calls and streams, of which every other one asks what was asked before. */
export function startLoad(options: LoadOptions): Load {
  const callers = new Map(weekTenants.map((tenant) => [tenant.name, new WeekCaller(options.address, tenant)]));
  const planned = callsOf(options);
  const seen: SeenCall[] = [];
  const waiting: { readonly calls: number; resolve(): void }[] = [];
  let isEnding = false;
  const worker = async () => {
    while (!isEnding) {
      const { value: call } = planned.next();
      if (!call) throw new Error("the load ran out of calls");
      options.upstream.ask(call.question);
      const result = await callers.get(call.tenant.name)?.complete(call, Date.now());
      if (result) seen.push(result);
      for (const { calls, resolve } of waiting) if (seen.length >= calls) resolve();
      await new Promise((resolve) => setTimeout(resolve, options.pauseMs ?? 0));
    }
  };
  const workers = Promise.all(Array.from({ length: options.concurrency }, worker));
  return {
    get ended() {
      return seen.length;
    },
    reached(calls) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ calls, resolve });
      return promise;
    },
    async end() {
      isEnding = true;
      await workers;
      for (const caller of callers.values()) caller.close();
      return seen;
    },
  };
}

function* callsOf({ seed, name, kinds }: LoadOptions): Generator<PlannedCall, undefined> {
  for (let lap = 0; ; lap += 1) {
    for (const { calls } of planWeek(2_000, seed * 1_000 + lap)) {
      for (const call of calls) {
        if (kinds.has(call.question.kind))
          yield { ...call, question: { ...call.question, id: `${call.question.id}-${name}-${lap}` } };
      }
    }
  }
}
