import { performance } from "node:perf_hooks";
import type { Load, LoadSettings } from "./load-settings.ts";

/** The beginning of a load at a fixed rate does not count: the load's own code is slow until it was compiled. */
const COLD_SHARE = 0.2;

/** Starts a call and calls back with the number of messages at its end. */
export type StartCall = (onEnd: (messages: number) => void) => void;

/** Calls at the given pace, and tells what was seen. Throws for an answer that has not the expected messages. */
export async function callAtPace(start: StartCall, { pace, messages }: LoadSettings): Promise<Load> {
  const record = new Recorder(pace.kind === "at a rate" ? pace.durationMs * COLD_SHARE : 0);
  const call = (intendedMs: number, onEnd: () => void) => {
    const lateMs = performance.now() - intendedMs;
    start((seen) => {
      if (seen !== messages) throw new Error(`an answer of ${seen} messages instead of ${messages}`);
      record.ended(intendedMs, lateMs);
      onEnd();
    });
  };
  if (pace.kind === "in flight") await inFlight(call, pace);
  else if (pace.kind === "at a rate") await atRate(call, pace);
  else await atOnce(call, pace.calls);
  return record.summary(messages);
}

type Call = (intendedMs: number, onEnd: () => void) => void;

/** A call follows when another has ended, so that a slow server is asked less. */
function inFlight(call: Call, { calls, durationMs }: { calls: number; durationMs: number }): Promise<void> {
  return new Promise((resolve) => {
    const endMs = performance.now() + durationMs;
    let open = calls;
    const next = () => {
      const nowMs = performance.now();
      if (nowMs < endMs) return call(nowMs, next);
      open -= 1;
      if (open === 0) resolve();
    };
    for (let index = 0; index < calls; index += 1) next();
  });
}

/** Calls start when it is time, whether others have ended or not: what waits for a slow server is seen in the latencies. */
function atRate(call: Call, { perSecond, durationMs }: { perSecond: number; durationMs: number }): Promise<void> {
  return new Promise((resolve) => {
    const startMs = performance.now();
    const total = Math.max(1, Math.round((perSecond * durationMs) / 1000));
    let started = 0;
    let ended = 0;
    const onEnd = () => {
      ended += 1;
      if (ended === total) resolve();
    };
    // Timers are too coarse. The load has a core for itself and may turn.
    const turn = () => {
      for (; started < total; started += 1) {
        const intendedMs = startMs + (started * 1000) / perSecond;
        if (intendedMs > performance.now()) break;
        call(intendedMs, onEnd);
      }
      if (started < total) setImmediate(turn);
    };
    turn();
  });
}

function atOnce(call: Call, calls: number): Promise<void> {
  return new Promise((resolve) => {
    let open = calls;
    const nowMs = performance.now();
    for (let index = 0; index < calls; index += 1) {
      call(nowMs, () => {
        open -= 1;
        if (open === 0) resolve();
      });
    }
  });
}

class Recorder {
  readonly #latencies: number[] = [];
  readonly #late: number[] = [];
  readonly #startMs = performance.now();
  readonly #warmMs: number;
  readonly #cpuBefore = process.cpuUsage();
  #calls = 0;

  /** @param coldMs calls of the beginning whose latencies do not count. */
  constructor(coldMs: number) {
    this.#warmMs = this.#startMs + coldMs;
  }

  ended(intendedMs: number, lateMs: number): void {
    this.#calls += 1;
    if (intendedMs < this.#warmMs) return;
    this.#latencies.push(performance.now() - intendedMs);
    this.#late.push(lateMs);
  }

  summary(messagesPerCall: number): Load {
    const seconds = (performance.now() - this.#startMs) / 1000;
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    const latency = quantiles(this.#latencies);
    return {
      calls: this.#calls,
      messages: this.#calls * messagesPerCall,
      seconds,
      cpuShare: (user + system) / 1e6 / seconds,
      p50: latency(0.5),
      p99: latency(0.99),
      p999: latency(0.999),
      lateP99: quantiles(this.#late)(0.99),
    };
  }
}

function quantiles(values: number[]): (share: number) => number {
  const sorted = values.toSorted((a, b) => a - b);
  return (share) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}
