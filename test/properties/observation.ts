import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import type { StreamCompleteResponse } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { LedgerRecord } from "../../src/core/ledger.ts";
import type { LogFields } from "../../src/core/log.ts";
import type { ModelRequest, UpstreamErrorKind } from "../../src/core/model.ts";
import type { TokenCounts } from "../../src/core/money.ts";
import type { CallerPlan, ModelPlan, OutcomePlan, Plan, QuestionPlan } from "./plan.ts";
import type { Sleep } from "./virtual-clock.ts";

/** When something happened: virtual milliseconds, and its place among all that happened. */
export interface Moment {
  readonly ms: number;
  readonly order: number;
}

/** One request to the scripted provider, as the provider saw it. */
export interface UpstreamAttempt {
  readonly request: ModelRequest;
  readonly model: ModelPlan;
  readonly outcome: OutcomePlan;
  readonly caller: SeenCaller;
  readonly begun: Moment;
  /** Requests to this model that were open then, this one included. */
  readonly openWithIt: number;
  /** Whether anybody was waiting for an answer to its question. */
  readonly wasWanted: boolean;
  /** Whether its start was in the ledger. */
  readonly wasRecorded: boolean;
  /** What was sent of the answer. */
  text: string;
  /** When it said its last word, or was given up. */
  over?: Moment;
  /** Whether the pipeline has let go of it. */
  isClosed: boolean;
  /** The wait that its failure told. */
  toldMs?: number;
  /** `left`: given up by the pipeline before its end. */
  end?: "answered" | "failed" | "left";
  kind?: UpstreamErrorKind;
  reported?: TokenCounts;
}

/** One caller and everything it was told. */
export interface SeenCaller {
  readonly id: string;
  readonly plan: CallerPlan;
  readonly question: QuestionPlan;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly arrived: Moment;
  readonly events: StreamCompleteResponse[];
  /** When its signal was aborted, and why. */
  aborted?: Moment & { readonly reason: "CANCELLED" | "DEADLINE_EXCEEDED" };
  /** It stopped reading before the end, of its own will. */
  hasStopped: boolean;
  settled?: Moment;
  completion?: Completion;
  failure?: Failure;
  /** What was thrown, where it was no deliberate failure. */
  bug?: unknown;
}

export interface CacheWrite {
  readonly key: string;
  readonly completion: Completion;
  readonly at: Moment;
}

/** A second, identical call after the end of everything else. */
export interface Echo {
  readonly of: SeenCaller;
  readonly caller: SeenCaller;
  readonly requests: number;
}

/** Everything that was seen of one run. */
export interface Observation {
  readonly plan: Plan;
  readonly attempts: readonly UpstreamAttempt[];
  readonly callers: readonly SeenCaller[];
  readonly echoes: readonly Echo[];
  readonly records: readonly { readonly record: LedgerRecord; readonly at: Moment }[];
  readonly lines: readonly { readonly event: string; readonly fields: LogFields }[];
  readonly writes: readonly CacheWrite[];
  readonly sleeps: readonly Sleep[];
  /** What was still there when everybody had their answer. Words for people; nothing where all is well. */
  readonly leftovers: readonly string[];
}
