import type { BudgetPeriod } from "../../core/budgets.ts";

/** A UTC day or month: from `startMs` up to, not including, `endMs`. */
export interface Period {
  /** `2026-11-24` or `2026-11`. */
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
}

export function periodAt(per: BudgetPeriod, nowMs: number): Period {
  const now = new Date(nowMs);
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  const startMs = per === "day" ? Date.UTC(year, month, day) : Date.UTC(year, month);
  const endMs = per === "day" ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1);
  return { key: new Date(startMs).toISOString().slice(0, per === "day" ? 10 : 7), startMs, endMs };
}
