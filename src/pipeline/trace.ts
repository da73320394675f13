import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs } from "@bufbuild/protobuf/wkt";
import { type StageTimings, StageTimingsSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { Clock } from "../core/clock.ts";

/** Stages as log lines and ledger rows name them. */
const stageWords = {
  [Stage.VALIDATE]: "validate",
  [Stage.BUILD_CONTEXT]: "build_context",
  [Stage.CACHE]: "cache_lookup",
  [Stage.CALL_MODEL]: "call_model",
  [Stage.PARSE]: "parse",
  [Stage.RETRIEVE]: "retrieve",
} as const;

type TracedStage = keyof typeof stageWords;

/** Where a call is and how long each stage took. */
export class CallTrace {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #stageMs = new Map<TracedStage, number>();
  #firstTokenMs?: number;
  readonly startedAtMs: number;
  stage: Stage = Stage.UNSPECIFIED;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.startedAtMs = clock.nowMs();
  }

  /** Runs a stage that answers at once. */
  run<T>(stage: TracedStage, step: () => T): T {
    const done = this.begin(stage);
    try {
      return step();
    } finally {
      done();
    }
  }

  /** Runs a stage that answers later. */
  async await<T>(stage: TracedStage, step: () => Promise<T>): Promise<T> {
    const done = this.begin(stage);
    try {
      return await step();
    } finally {
      done();
    }
  }

  /**
   * Enters a stage; the returned function leaves it, and does nothing when it is called again. A stage may be entered
   * several times: its time is the sum.
   */
  begin(stage: TracedStage): () => void {
    const startedMs = this.#clock.monotonicMs();
    let left = false;
    this.stage = stage;
    return () => {
      if (!left) this.set(stage, (this.#stageMs.get(stage) ?? 0) + this.#clock.monotonicMs() - startedMs);
      left = true;
    };
  }

  set(stage: TracedStage, ms: number): void {
    this.#stageMs.set(stage, ms);
  }

  /** The first piece of the answer is about to be sent. */
  firstToken(): void {
    this.#firstTokenMs ??= this.elapsedMs();
  }

  elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /** Whole microseconds, in milliseconds, by stage. */
  stageMs(): Record<string, number> {
    return Object.fromEntries([...this.#stageMs].map(([stage, ms]) => [stageWords[stage], roundToMicros(ms)]));
  }

  timings(): StageTimings {
    const at = (stage: TracedStage) => duration(this.#stageMs.get(stage));
    return create(StageTimingsSchema, {
      validate: at(Stage.VALIDATE),
      buildContext: at(Stage.BUILD_CONTEXT),
      cacheLookup: at(Stage.CACHE),
      callModel: at(Stage.CALL_MODEL),
      parse: at(Stage.PARSE),
      retrieve: at(Stage.RETRIEVE),
      timeToFirstToken: duration(this.#firstTokenMs),
      total: duration(this.elapsedMs()),
    });
  }
}

function duration(ms: number | undefined): Duration | undefined {
  if (ms === undefined) return undefined;
  const micros = Math.round(ms * 1000);
  const { seconds } = durationFromMs(Math.floor(micros / 1000));
  return { $typeName: "google.protobuf.Duration", seconds, nanos: (micros % 1_000_000) * 1000 };
}

function roundToMicros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
