import { create } from "@bufbuild/protobuf";
import { type Attempt, type AttemptCause, AttemptCauseSchema, AttemptSchema } from "../../gen/sluice/v1/attempt_pb.ts";
import { type TokenUsage, TokenUsageSchema } from "../../gen/sluice/v1/token_usage_pb.ts";
import type { Budgets, Reservation } from "../core/budgets.ts";
import type { Clock } from "../core/clock.ts";
import { type FailureReason, reasonNumber } from "../core/failure.ts";
import type { AttemptStarted, Ledger } from "../core/ledger.ts";
import type { ModelTarget } from "../core/model.ts";
import { costNanoUsd, type Price, type PriceBook, type TokenCounts } from "../core/money.ts";
import { maxCostNanoUsd } from "./max-cost.ts";

export interface ChargePorts {
  readonly ledger: Ledger;
  readonly budgets: Budgets;
  readonly prices: PriceBook;
  readonly clock: Clock;
}

/** Whom a call's attempts are charged to. */
export interface Payer {
  readonly callId: string;
  readonly tenant: string;
  readonly feature: string;
  readonly user: string;
  /** Id of the API key; empty where the service is open. */
  readonly keyId: string;
  readonly method: string;
  /** Empty where messages were given. */
  readonly promptName: string;
  readonly promptVersion: string;
}

/** What an attempt asks: a model that answers, or one that embeds. */
export type ChargedTarget = Pick<ModelTarget, "alias" | "provider" | "providerModel" | "synthetic">;

/** How an attempt ended. */
export interface AttemptEnd {
  readonly tokens: TokenCounts;
  /** Whether the tokens were counted here because the provider did not report them. */
  readonly estimated: boolean;
  readonly timeToFirstTokenMs?: number;
  readonly httpStatus: number;
  readonly failure?: FailureReason;
  /** This call's share of a request that several paid for, so that no share is rounded alone. Absent: by the tokens. */
  readonly share?: { readonly costNanoUsd: bigint | undefined };
}

/** An attempt that was recorded before it is sent and must be ended once. */
export interface OpenAttempt {
  readonly number: number;
  end(end: AttemptEnd): Promise<void>;
}

/** What a call's attempts came to. */
export interface Charged {
  readonly attempts: readonly Attempt[];
  readonly usage: TokenUsage;
  /** Absent where the price of at least one attempt that used tokens is unknown. */
  readonly costNanoUsd?: bigint;
}

/** The charges of one call: every attempt once, failed and abandoned ones too. */
export class Charges {
  readonly #ports: ChargePorts;
  readonly #payer: Payer;
  readonly #attempts: Attempt[] = [];
  #started = 0;
  #beforeAnswer = 0;

  constructor(ports: ChargePorts, payer: Payer) {
    this.#ports = ports;
    this.#payer = payer;
  }

  /** Attempts that were begun. */
  get started(): number {
    return this.#started;
  }

  /** Those that embed what the answer needs are made by now: they do not count as attempts at it. */
  beginAnswer(): void {
    this.#beforeAnswer = this.#started;
  }

  /** Attempts at the answer that were begun. */
  get startedForAnswer(): number {
    return this.#started - this.#beforeAnswer;
  }

  /**
   * Reserves what an attempt may cost and records its start. It is in the spool when this resolves, so that a crash
   * cannot lose it.
   * @throws SluiceError BUDGET_EXCEEDED, RATE_LIMITED or REQUEST_EXCEEDS_RATE_WINDOW where the payer has no room for it,
   *   STORE_UNAVAILABLE when it cannot be recorded; then it must not be sent.
   */
  async begin(plan: {
    readonly target: ChargedTarget;
    readonly cause: AttemptCause;
    readonly waitMs: number;
    readonly estimatedPromptTokens: number;
    readonly maxOutputTokens: number;
  }): Promise<OpenAttempt> {
    const number = this.#started + 1;
    const { target, cause, waitMs } = plan;
    const price = this.#ports.prices.price(target.provider, target.providerModel);
    const promptCost = price && costNanoUsd(promptOnly(plan.estimatedPromptTokens), price);
    const { clock } = this.#ports;
    const reservation = await this.#ports.budgets.reserve(this.#payer, {
      maxCostNanoUsd: price && maxCostNanoUsd(plan.estimatedPromptTokens, plan.maxOutputTokens, price),
      promptCostNanoUsd: promptCost,
      tokens: plan.estimatedPromptTokens + plan.maxOutputTokens,
      model: target.alias,
    });
    const startedAtMs = clock.nowMs();
    const record: AttemptStarted = {
      type: "attempt_started",
      call_id: this.#payer.callId,
      attempt: number,
      tenant: this.#payer.tenant,
      feature: this.#payer.feature,
      user: this.#payer.user,
      key_id: this.#payer.keyId,
      method: this.#payer.method,
      prompt_name: this.#payer.promptName,
      prompt_version: this.#payer.promptVersion,
      model: target.alias,
      provider: target.provider.id,
      provider_model: target.providerModel,
      synthetic: target.synthetic,
      cause: AttemptCauseSchema.value[cause]?.localName.toLowerCase() ?? "",
      wait_ms: Math.round(waitMs),
      estimated_prompt_tokens: plan.estimatedPromptTokens,
      estimated_cost_nano_usd: decimal(promptCost),
      started_at: new Date(startedAtMs).toISOString(),
    };
    try {
      await this.#ports.ledger.record(record);
    } catch (error) {
      // It is not sent.
      reservation.settle({ costNanoUsd: 0n, tokens: 0 });
      throw error;
    }
    this.#started = number;
    const startedMs = clock.monotonicMs();
    return {
      number,
      end: (end) => this.#end({ number, target, cause, waitMs, price, startedMs, startedAtMs, reservation }, end),
    };
  }

  async #end(
    open: {
      number: number;
      target: ChargedTarget;
      cause: AttemptCause;
      waitMs: number;
      price?: Price;
      startedMs: number;
      startedAtMs: number;
      reservation: Reservation;
    },
    end: AttemptEnd,
  ): Promise<void> {
    const latencyMs = Math.round(this.#ports.clock.monotonicMs() - open.startedMs);
    const cost = end.share ? end.share.costNanoUsd : priceOf(end.tokens, open.price);
    open.reservation.settle({ costNanoUsd: cost, tokens: end.tokens.promptTokens + end.tokens.completionTokens });
    this.#attempts.push(
      create(AttemptSchema, {
        number: open.number,
        model: open.target.alias,
        provider: open.target.provider.id,
        cause: open.cause,
        waitMs: BigInt(Math.round(open.waitMs)),
        latencyMs: BigInt(latencyMs),
        timeToFirstTokenMs:
          end.timeToFirstTokenMs === undefined ? undefined : BigInt(Math.round(end.timeToFirstTokenMs)),
        usage: usageMessage(end.tokens, end.estimated),
        costNanoUsd: cost,
        errorReason: end.failure && reasonNumber(end.failure),
        httpStatus: end.httpStatus,
      }),
    );
    await this.#ports.ledger.record({
      type: "attempt_finished",
      call_id: this.#payer.callId,
      attempt: open.number,
      prompt_tokens: end.tokens.promptTokens,
      cached_prompt_tokens: end.tokens.cachedPromptTokens,
      completion_tokens: end.tokens.completionTokens,
      reasoning_tokens: end.tokens.reasoningTokens,
      usage_estimated: end.estimated,
      cost_nano_usd: decimal(cost),
      price_version: open.price?.version ?? null,
      latency_ms: latencyMs,
      time_to_first_token_ms: end.timeToFirstTokenMs === undefined ? null : Math.round(end.timeToFirstTokenMs),
      http_status: end.httpStatus,
      error_reason: end.failure ?? "",
      // Its start and its length: the time of day may have stepped back meanwhile.
      finished_at: new Date(open.startedAtMs + latencyMs).toISOString(),
    });
  }

  /** What the attempts that have ended came to. */
  total(): Charged {
    const usage = create(TokenUsageSchema);
    let cost: bigint | undefined = 0n;
    for (const attempt of this.#attempts) {
      usage.promptTokens += attempt.usage?.promptTokens ?? 0n;
      usage.cachedPromptTokens += attempt.usage?.cachedPromptTokens ?? 0n;
      usage.completionTokens += attempt.usage?.completionTokens ?? 0n;
      usage.reasoningTokens += attempt.usage?.reasoningTokens ?? 0n;
      usage.estimated ||= attempt.usage?.estimated ?? false;
      cost = cost === undefined || attempt.costNanoUsd === undefined ? undefined : cost + attempt.costNanoUsd;
    }
    return { attempts: [...this.#attempts], usage, costNanoUsd: cost };
  }
}

/** An attempt that used no tokens costs nothing, whatever the price; otherwise an unknown price is an unknown cost. */
export function priceOf(tokens: TokenCounts, price: Price | undefined): bigint | undefined {
  if (tokens.promptTokens === 0 && tokens.completionTokens === 0) return 0n;
  return price && costNanoUsd(tokens, price);
}

function promptOnly(promptTokens: number): TokenCounts {
  return { promptTokens, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 };
}

function usageMessage(tokens: TokenCounts, estimated: boolean): TokenUsage {
  return create(TokenUsageSchema, {
    promptTokens: BigInt(tokens.promptTokens),
    cachedPromptTokens: BigInt(tokens.cachedPromptTokens),
    completionTokens: BigInt(tokens.completionTokens),
    reasoningTokens: BigInt(tokens.reasoningTokens),
    estimated,
  });
}

function decimal(amount: bigint | undefined): string | null {
  return amount === undefined ? null : amount.toString();
}
