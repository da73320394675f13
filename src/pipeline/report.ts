import { createHmac } from "node:crypto";
import type { Attribution } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import type { TokenUsage } from "../../gen/sluice/v1/token_usage_pb.ts";
import type { Call } from "../core/call.ts";
import type { Clock } from "../core/clock.ts";
import { type Failure, type FailureReason, failureOf, SluiceError } from "../core/failure.ts";
import type { CallFinished, Ledger } from "../core/ledger.ts";
import type { Log } from "../core/log.ts";
import type { ActiveCalls } from "./active-calls.ts";
import type { Charges, Payer } from "./charge.ts";
import { NobodyWaitsError } from "./flight.ts";
import { CallTrace } from "./trace.ts";

export interface ReportPorts {
  readonly ledger: Ledger;
  readonly log: Log;
  readonly clock: Clock;
  /** Keys the hash of inputs in logs, so that short inputs cannot be guessed from it. */
  readonly inputHashKey: Uint8Array;
  readonly activeCalls: ActiveCalls;
}

/** What a call asks, as its row tells it. */
export interface AskedOf {
  /** The prompt file; absent where there is none. */
  readonly prompt?: { readonly name: string; readonly version: string };
  readonly target: { readonly alias: string; readonly synthetic: boolean };
  /** Of the input: only a keyed hash of it is written. */
  readonly key: string;
}

/** What became of a call, as its row tells it. */
export type Outcome = Pick<Completion, "usage" | "costNanoUsd" | "model" | "synthetic"> &
  Partial<Pick<Completion, "cacheStatus" | "savedNanoUsd" | "prompt">>;

const cacheWords: Readonly<Record<number, string>> = {
  [CacheStatus.MISS]: "miss",
  [CacheStatus.MEMORY_HIT]: "memory_hit",
  [CacheStatus.SHARED_HIT]: "shared_hit",
  [CacheStatus.JOINED]: "joined",
  [CacheStatus.BYPASSED]: "bypassed",
  [CacheStatus.REPLAYED]: "replayed",
};

/**
 * Gathers what is known of a call and, when it ends, writes its one ledger row and its one log line, whichever way it
 * ends. Neither holds a word of its texts.
 */
export class CallReport {
  readonly #ports: ReportPorts;
  readonly #call: Call;
  readonly #leave: () => void;
  readonly trace: CallTrace;
  /** Absent until it has been validated: what is not is not written anywhere. */
  attribution?: Attribution;
  /** The alias that is asked, where that is known before the request is built. */
  askedAlias?: string;
  /** Absent until it is known what is asked. */
  asked?: AskedOf;
  /** Present where this call pays for attempts. */
  charges?: Charges;
  #written = false;
  #deferral?: Promise<void>;

  constructor(ports: ReportPorts, call: Call) {
    this.#ports = ports;
    this.#call = call;
    this.#leave = ports.activeCalls.enter();
    this.trace = new CallTrace(ports.clock);
  }

  /** Whom the attempts of this call are charged to. */
  get payer(): Payer {
    return {
      callId: this.#call.id,
      tenant: this.#call.caller.tenant,
      feature: this.attribution?.feature ?? "",
      user: this.attribution?.user ?? "",
      keyId: this.#call.caller.keyId,
      method: this.#call.method,
      promptName: this.asked?.prompt?.name ?? "",
      promptVersion: this.asked?.prompt?.version ?? "",
    };
  }

  /** The caller leaves before it is known what the call cost: the row is written at the end of the work, unawaited. */
  deferUntil(end: Promise<void>): void {
    this.#deferral = end;
  }

  /** The call succeeded. */
  async finished(completion: Outcome): Promise<void> {
    await this.#write(completion, "");
  }

  /** The work of the call failed when nobody was left to be told: what was no failure on purpose is a bug all the same. */
  workLost(error: unknown): void {
    if (error !== undefined && !isExpected(error, this.#call.signal)) this.#logBug(error);
  }

  #logBug(error: unknown): void {
    this.#ports.log.error("internal_error", { call_id: this.#call.id, rpc: this.#call.method, error });
  }

  /** The call failed. Returns what the caller must be told: its own deadline or leaving goes before what they caused. */
  async failed(error: unknown): Promise<unknown> {
    const { signal } = this.#call;
    const told = signal.aborted ? this.#interruption(error) : error;
    if (told !== error && !isExpected(error, signal)) this.#logBug(error);
    await this.#write(undefined, failureOf(told).reason);
    return told;
  }

  /** Writes nothing: what was done is no call that anybody counts, and its attempts have rows of their own. */
  leave(): void {
    if (this.#written) return;
    this.#written = true;
    this.#leave();
  }

  /** The caller stopped listening before the end. Does nothing where the end was reported. */
  async abandoned(): Promise<void> {
    const { aborted } = this.#call.signal;
    await this.#write(undefined, aborted ? this.#interruption(undefined).failure.reason : "CANCELLED");
  }

  /** Why the call was ended from outside. Whoever ended it for a reason of its own, as for a slow reader, said all. */
  #interruption(cause: unknown): SluiceError {
    const ended: unknown = this.#call.signal.reason;
    const said = ended instanceof SluiceError ? ended.failure : undefined;
    if (said && !isInterruption(said)) return new SluiceError(said, { cause });
    const isLate = this.#call.deadline.remainingMs() <= 0;
    const reason = said?.reason ?? (isLate ? "DEADLINE_EXCEEDED" : "CANCELLED");
    const attempts = this.charges?.total().attempts ?? [];
    return new SluiceError({ reason, stage: this.trace.stage, attempts }, { cause });
  }

  async #write(completion: Outcome | undefined, errorReason: FailureReason | ""): Promise<void> {
    if (this.#written) return;
    this.#written = true;
    const latencyMs = Math.round(this.trace.elapsedMs());
    const write = async () => {
      try {
        await this.#writeNow(this.#record(completion, errorReason, latencyMs));
      } finally {
        this.#leave();
      }
    };
    if (!this.#deferral) return write();
    this.#deferral.then(write).catch((error: unknown) => {
      this.#ports.log.error("call_not_recorded", { call_id: this.#call.id, error });
    });
  }

  async #writeNow(record: CallFinished): Promise<void> {
    const { type: _type, ...fields } = record;
    this.#ports.log.info("llm_call", fields);
    await this.#ports.ledger.record(record);
  }

  #record(completion: Outcome | undefined, errorReason: FailureReason | "", latencyMs: number): CallFinished {
    const { payer } = this;
    const { asked } = this;
    // Of an answer that is repeated nothing was built: it says itself what it answers.
    const prompt = asked ? asked.prompt : completion?.prompt;
    const charged = this.charges?.total();
    const cost = completion ? completion.costNanoUsd : charged ? charged.costNanoUsd : 0n;
    return {
      type: "call_finished",
      call_id: payer.callId,
      tenant: payer.tenant,
      feature: payer.feature,
      user: payer.user,
      key_id: payer.keyId,
      method: this.#call.method,
      prompt_name: prompt?.name ?? "",
      prompt_version: prompt?.version ?? "",
      model: asked?.target.alias ?? this.askedAlias ?? completion?.model ?? "",
      answered_by: completion?.model ?? "",
      input_hash: this.#inputHash(),
      cache_status: cacheWords[completion?.cacheStatus ?? CacheStatus.UNSPECIFIED] ?? "",
      attempts: this.charges?.started ?? 0,
      ...tokenFields(completion?.usage ?? charged?.usage),
      cost_nano_usd: cost?.toString() ?? null,
      saved_nano_usd: completion?.savedNanoUsd?.toString() ?? null,
      latency_ms: latencyMs,
      stage_ms: this.trace.stageMs(),
      synthetic: completion?.synthetic ?? asked?.target.synthetic ?? false,
      error_reason: errorReason,
      started_at: new Date(this.trace.startedAtMs).toISOString(),
      // Not the time of day: that clock may have stepped back meanwhile, and a row would end before it begins.
      finished_at: new Date(this.trace.startedAtMs + latencyMs).toISOString(),
    };
  }

  #inputHash(): string {
    if (!this.asked) return "";
    return createHmac("sha256", this.#ports.inputHashKey).update(this.asked.key).digest("hex");
  }
}

/** Whether an error is what ending a call from outside leads to, or was thrown on purpose. */
function isExpected(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || error instanceof SluiceError || error instanceof NobodyWaitsError;
}

/** Such a reason is told with the stage and the attempts, which only the report knows. */
function isInterruption(failure: Failure): failure is Extract<Failure, { stage: unknown }> {
  return failure.reason === "DEADLINE_EXCEEDED" || failure.reason === "CANCELLED";
}

function tokenFields(usage: TokenUsage | undefined) {
  return {
    prompt_tokens: Number(usage?.promptTokens ?? 0n),
    cached_prompt_tokens: Number(usage?.cachedPromptTokens ?? 0n),
    completion_tokens: Number(usage?.completionTokens ?? 0n),
    reasoning_tokens: Number(usage?.reasoningTokens ?? 0n),
    usage_estimated: usage?.estimated ?? false,
  };
}
