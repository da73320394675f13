import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Input } from "../../test/faults/scenario-input.ts";
import { GrpcCaller } from "../../test/support/grpc-caller.ts";
import { answerTo } from "./answers.ts";
import { questionText, type Service } from "./service.ts";
import { DAY_MS, type TrafficCall } from "./traffic.ts";

/** What came of one call. */
export interface Played {
  readonly call: TrafficCall;
  /** Absent where it failed. */
  readonly status?: CacheStatus;
  readonly costNanoUsd: number;
  readonly savedNanoUsd: number;
}

export interface PlayedDay {
  readonly played: readonly Played[];
  /** How far the load was behind its time at most. */
  readonly latestMs: number;
}

/** TTLs are as short as the day is; a second is the shortest that can be asked for. */
export function ttlSeconds(call: Pick<TrafficCall, "feature">, dayMs: number): number {
  return Math.max(1, Math.round((call.feature.ttlHours * 3_600 * dayMs) / DAY_MS));
}

/** Plays the calls of a day in `dayMs`, each when it is due, whether others have ended or not. */
export async function playDay(service: Service, calls: readonly TrafficCall[], dayMs: number): Promise<PlayedDay> {
  const callers = service.servers.map(
    ({ address }) => new GrpcCaller(address, { "grpc.use_local_subchannel_pool": 1 }),
  );
  // The first call of a connection waits for it.
  await Promise.all(
    callers.map((caller) => caller.unary(PipelineService.method.explain, { input: inputOf(calls[0], dayMs) })),
  );
  const underWay: Promise<Played>[] = [];
  let latestMs = 0;
  const startMs = performance.now();
  for (const call of calls) {
    const waitMs = startMs + (call.atMs * dayMs) / DAY_MS - performance.now();
    if (waitMs > 0) await pause(waitMs);
    else if (underWay.length % 10 === 0) await nextTurn();
    latestMs = Math.max(latestMs, -waitMs);
    const caller = callers[Math.floor(call.lot * callers.length)];
    if (caller) underWay.push(ask(caller, call, dayMs));
  }
  const played = await Promise.all(underWay);
  for (const caller of callers) caller.close();
  return { played, latestMs };
}

async function ask(caller: GrpcCaller, call: TrafficCall, dayMs: number): Promise<Played> {
  try {
    const completion = await completionOf(caller, call, inputOf(call, dayMs));
    if (!completion) return failed(call);
    const { cacheStatus: status, costNanoUsd = 0n, savedNanoUsd = 0n } = completion;
    return { call, status, costNanoUsd: Number(costNanoUsd), savedNanoUsd: Number(savedNanoUsd) };
  } catch {
    return failed(call);
  }
}

function failed(call: TrafficCall): Played {
  return { call, costNanoUsd: 0, savedNanoUsd: 0 };
}

async function completionOf(caller: GrpcCaller, call: TrafficCall, input: Input): Promise<Completion | undefined> {
  const { complete, streamComplete } = PipelineService.method;
  if (!call.isStream) return (await caller.unary(complete, { input })).completion;
  let last: Completion | undefined;
  for await (const { event } of caller.serverStream(streamComplete, { input })) {
    if (event.case === "finished") last = event.value.completion;
  }
  return last;
}

const modes = { default: CacheMode.DEFAULT, refresh: CacheMode.REFRESH, bypass: CacheMode.BYPASS };

function inputOf(call: TrafficCall | undefined, dayMs: number): Input {
  if (!call) throw new Error("a day without calls");
  const { feature, question, user, mode } = call;
  const { promptTokens } = answerTo(question, feature);
  return {
    prompt: { name: feature.name, variables: { text: questionText(question, promptTokens) } },
    cache: { mode: modes[mode], ttlSeconds: ttlSeconds(call, dayMs) },
    attribution: { feature: feature.name, user },
  };
}

/** Whether the call was answered without a payment. */
export function isHit({ status }: Played): boolean {
  return status === CacheStatus.MEMORY_HIT || status === CacheStatus.SHARED_HIT || status === CacheStatus.JOINED;
}
