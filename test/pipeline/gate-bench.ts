import assert from "node:assert/strict";
import type { LogFields, LogLevel } from "../../src/core/log.ts";
import type { ModelTarget, UpstreamErrorFields, UpstreamErrorKind } from "../../src/core/model.ts";
import { type Admission, type ModelGate, ModelGates, type Pass } from "../../src/pipeline/model-gates.ts";
import { type FakeClock, fakeClock } from "../support/clock.ts";
import { target } from "../support/models.ts";

export interface GateBench {
  readonly clock: FakeClock;
  readonly gates: ModelGates;
  readonly gate: ModelGate;
  readonly target: ModelTarget;
  readonly lines: { readonly level: LogLevel; readonly event: string; readonly fields: LogFields }[];
  /** Asks the gate; a minute is left unless it is said otherwise. */
  enter(options?: { remainingMs?: number; signal?: AbortSignal }): Promise<Admission>;
  /** Asks the gate, which must let the request through. */
  pass(): Promise<Pass>;
  /** So many requests, one after the other, each with this outcome. */
  run(count: number, outcome: UpstreamErrorFields | "abandoned" | undefined): Promise<void>;
  circuit(): string | undefined;
}

/** The gate of one model on a clock that moves when told. The wall clock must not be asked: it may step back. */
export function gateBench(
  options: { random?: () => number; maxConcurrency?: number; maxQueue?: number } = {},
): GateBench {
  const { random, maxConcurrency = 64, maxQueue = 256 } = options;
  const clock: FakeClock = {
    ...fakeClock(random),
    nowMs: () => assert.fail("the wall clock was asked"),
  };
  const lines: GateBench["lines"] = [];
  const line =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) =>
      void lines.push({ level, event, fields });
  const log = {
    isEnabled: () => true,
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
  };
  const gates = new ModelGates({ clock, log });
  const model = target({ limits: { maxConcurrency, maxQueue } });
  const gate = gates.of(model);
  const enter: GateBench["enter"] = ({ remainingMs = 60_000, signal = new AbortController().signal } = {}) =>
    gate.enter({ deadline: { remainingMs: () => remainingMs }, signal });
  const pass = async () => {
    const admission = await enter();
    assert.equal(admission.kind, "admitted");
    return admission.pass;
  };
  return {
    clock,
    gates,
    gate,
    target: model,
    lines,
    enter,
    pass,
    async run(count, outcome) {
      for (let index = 0; index < count; index += 1) (await pass()).end(outcome);
    },
    circuit: () => gates.state(model)?.circuit,
  };
}

export function failure(kind: UpstreamErrorKind, fields: Partial<UpstreamErrorFields> = {}): UpstreamErrorFields {
  return { kind, httpStatus: 0, ...fields };
}

export const overloaded = failure("overloaded", { httpStatus: 503 });

/** Lets everything that is due now run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
