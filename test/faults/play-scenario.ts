import { inspect } from "node:util";
import { startScriptedUpstream } from "../support/scripted-upstream.ts";
import { needsProcess } from "./assertions.ts";
import { type CallResult, PipelineCaller } from "./grpc-calls.ts";
import type { Observation } from "./observation.ts";
import { watchProcess } from "./process-load.ts";
import { type RunningService, startService, startServiceProcess } from "./running-service.ts";
import type { FaultScenario } from "./scenario.ts";
import { scenarioConfig } from "./scenario-config.ts";
import { scenarioInput } from "./scenario-input.ts";

export type Method = "complete" | "stream";

/** Plays a scenario against a service and an upstream of its own, and says what was seen. */
export async function playScenario(scenario: FaultScenario, method: Method): Promise<Observation> {
  const { upstream: steps, service: settings, expect, calls, request } = scenario;
  const upstream = await startScriptedUpstream({ upstream: steps, concurrency: calls.concurrency });
  try {
    const start = needsProcess(expect.assert ?? []) ? startServiceProcess : startService;
    const service = await start(scenarioConfig(settings, upstream.url));
    try {
      const { load, results } = await watched(service, scenario, (caller) => callAll(caller, scenario, method));
      // A cancelled request is seen to be over when its connection is.
      await settled(() => upstream.calls.every(({ closedAt, endedAt }) => closedAt ?? endedAt));
      const { calls: received, strayRequests } = upstream;
      const faults = service.log.filter(({ level }) => level === "error").map((line) => inspect(line, { depth: 6 }));
      return {
        request,
        received,
        strayRequests,
        results,
        faults,
        concurrency: calls.concurrency,
        ...(load && { load }),
      };
    } finally {
      await service.stop();
    }
  } finally {
    await upstream.close();
  }
}

async function watched(
  service: RunningService,
  { request }: FaultScenario,
  run: (caller: PipelineCaller) => Promise<CallResult[]>,
): Promise<{ results: CallResult[]; load?: Observation["load"] }> {
  const caller = new PipelineCaller(service.address);
  try {
    if (service.pid === undefined) return { results: await run(caller) };
    // What is loaded and compiled once is no growth of this call: a sandbox model takes the same request first.
    await caller.complete({ ...scenarioInput(request), model: "sandbox/extract" });
    const watch = watchProcess(service.address, service.pid);
    const results = await run(caller);
    return { results, load: await watch.stop() };
  } finally {
    caller.close();
  }
}

async function callAll(
  caller: PipelineCaller,
  { request, calls }: FaultScenario,
  method: Method,
): Promise<CallResult[]> {
  const results: CallResult[] = [];
  for (let turn = 0; turn < calls.sequential_rpcs; turn += 1) {
    const together = Array.from({ length: calls.concurrency }, () =>
      caller[method](scenarioInput(request), {
        deadlineMs: request.deadline_ms,
        ...(request.pause_before_send_ms !== undefined && { pauseMs: request.pause_before_send_ms }),
        ...(calls.cancel_after_ms !== undefined && { signal: AbortSignal.timeout(calls.cancel_after_ms) }),
      }),
    );
    results.push(...(await Promise.all(together)));
  }
  return results;
}

/** Waits until something holds, at most for a second: what should happen at once but is seen a moment later. */
async function settled(holds: () => unknown): Promise<void> {
  const endAt = performance.now() + 1_000;
  while (!holds() && performance.now() < endAt) await new Promise((resolve) => setTimeout(resolve, 5));
}
