import assert from "node:assert/strict";
import { type BudgetsOptions, createBudgets } from "../../../src/adapters/memory-budgets.ts";
import type { BudgetPayer, BudgetRule, Budgets, PlannedAttempt, RateRule } from "../../../src/core/budgets.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { type Failure, SluiceError } from "../../../src/core/failure.ts";
import type { LogFields } from "../../../src/core/log.ts";

/** A clock that stands still until somebody moves it; what is due then is called back. */
export interface StandingClock extends Clock {
  advance(ms: number): void;
  /** Sets the time of day only. */
  setTo(nowMs: number): void;
}

export function standingClock(startMs = Date.UTC(2026, 0, 15, 12)): StandingClock {
  let nowMs = startMs;
  let monotonicMs = 1_000;
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  return {
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs,
    random: () => 0,
    sleep: () => Promise.reject(new Error("nobody sleeps by this clock")),
    after(delayMs, callback) {
      const timer = { dueMs: monotonicMs + delayMs, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    setTo(ms) {
      nowMs = ms;
    },
    advance(ms) {
      nowMs += ms;
      monotonicMs += ms;
      for (const timer of [...timers]) {
        if (timer.dueMs > monotonicMs) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
  };
}

export const payer: BudgetPayer = { tenant: "acme", feature: "faq", user: "u-1", keyId: "billing" };

export function budget(fields: Partial<BudgetRule> = {}): BudgetRule {
  return { scope: "user", per: "day", limitNanoUsd: 1_000n, soft: false, warnAt: 0.8, ...fields };
}

/** An attempt that costs so much at most. */
export function attempt(costNanoUsd: number, fields: Partial<PlannedAttempt> = {}): PlannedAttempt {
  const cost = BigInt(costNanoUsd);
  return { maxCostNanoUsd: cost, promptCostNanoUsd: cost / 10n, tokens: 100, model: "fast", ...fields };
}

export interface Lines {
  readonly lines: { readonly event: string; readonly fields: LogFields }[];
  readonly events: () => string[];
}

export function recordingLog() {
  const lines: { event: string; fields: LogFields }[] = [];
  const line = (event: string, fields: LogFields = {}) => void lines.push({ event, fields });
  const log = { isEnabled: () => true, debug() {}, info: line, warn: line, error: line };
  return { log, lines, events: () => lines.map(({ event }) => event) };
}

export function budgetsWith(
  rules: { budgets?: readonly BudgetRule[]; rates?: readonly RateRule[] },
  options: Partial<BudgetsOptions> = {},
) {
  const clock = standingClock();
  const { log, ...recorded } = recordingLog();
  const budgets = createBudgets({ budgets: [], rates: [], clock, log, holdMs: 600_000, ...rules, ...options });
  return { budgets, clock, ...recorded };
}

/** The failure with which a call is refused. */
export async function refusal(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    () => assert.fail("it was not refused"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SluiceError, String(error));
  return error.failure;
}

export async function isGranted(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    (error: unknown) => {
      if (error instanceof SluiceError) return false;
      throw error;
    },
  );
}

/** What the first bucket of the first rule has spent and holds back. */
export async function standing(budgets: Budgets, tenant?: string) {
  const [state] = await budgets.states(tenant);
  const [bucket] = state?.buckets ?? [];
  return { spent: bucket?.spent ?? 0n, reserved: bucket?.reserved ?? 0n };
}

/** Numbers from 0 to, not including, 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
