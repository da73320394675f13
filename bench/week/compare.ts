import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { UsageDimension, type UsageKey } from "../../gen/sluice/v1/usage_pb.ts";
import { type SummarizeUsageResponse, UsageService } from "../../gen/sluice/v1/usage_service_pb.ts";
import type { WeekCaller } from "./callers.ts";
import { type Dimension, type Recount, type Sums, sumNames } from "./recount.ts";

/** Everything that is asked in one, two and three dimensions. */
const groupings: readonly (readonly Dimension[])[] = [
  [],
  ["feature"],
  ["user"],
  ["model"],
  ["day"],
  ["hour"],
  ["prompt"],
  ["prompt_version"],
  ["tenant"],
  ["error_reason"],
  ["cache_status"],
  ["tenant", "feature", "model"],
  ["day", "model", "prompt"],
  ["tenant", "error_reason", "day"],
];

/** A page of a summary is as long as it may be, and no grouping has more rows. */
const MOST_ROWS = 1_000;

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Asks `SummarizeUsage` in every way and says where it differs from the recount. */
export async function differences(caller: WeekCaller, range: Range, recount: Recount): Promise<string[]> {
  const found: string[] = [];
  for (const dimensions of groupings) {
    const summary = await summarize(caller, range, dimensions);
    found.push(...compare(dimensions, rowsOf(summary, dimensions), recount.sumBy(dimensions)));
  }
  return found;
}

/** How long rows of calls whose callers left may take to be written, and how long the store may take for all others. */
const LATE_MS = 5_000;
const PATIENCE_MS = 120_000;

/**
 * Resolves with the total when everything that was recorded is stored: at least `calls` calls, or nothing more for a
 * while, so that rows that never come are told by the comparison.
 */
export async function drained(caller: WeekCaller, range: Range, calls: number): Promise<SummarizeUsageResponse> {
  const startMs = performance.now();
  let busyMs = startMs;
  for (;;) {
    // A database that was away may still be.
    const summary = await summarize(caller, range, []).catch(() => undefined);
    const nowMs = performance.now();
    const isIdle = summary?.backlog?.pendingRecords === 0n;
    if (!isIdle) busyMs = nowMs;
    if (isIdle && (Number(summary.total?.calls) >= calls || nowMs - busyMs > LATE_MS)) return summary;
    if (nowMs - startMs > PATIENCE_MS) throw new Error("the ledger is not stored in time");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const numbers: Record<Dimension, UsageDimension> = {
  feature: UsageDimension.FEATURE,
  user: UsageDimension.USER,
  model: UsageDimension.MODEL,
  prompt: UsageDimension.PROMPT,
  prompt_version: UsageDimension.PROMPT_VERSION,
  tenant: UsageDimension.TENANT,
  day: UsageDimension.DAY,
  hour: UsageDimension.HOUR,
  error_reason: UsageDimension.ERROR_REASON,
  cache_status: UsageDimension.CACHE_STATUS,
};

function summarize(caller: WeekCaller, { fromMs, toMs }: Range, dimensions: readonly Dimension[]) {
  return caller.ask(UsageService.method.summarizeUsage, {
    from: timestampFromMs(fromMs),
    to: timestampFromMs(toMs),
    groupBy: dimensions.map((dimension) => numbers[dimension]),
    limit: MOST_ROWS,
    scope: { allTenants: true },
  });
}

/** What was answered, in the form of the recount. The total is checked as well where it is grouped. */
function rowsOf(summary: SummarizeUsageResponse, dimensions: readonly Dimension[]): Map<string, Partial<Sums>> {
  if (summary.remainder) throw new Error(`more than ${MOST_ROWS} rows by ${dimensions.join(", ")}`);
  if (dimensions.length === 0) return new Map([["[]", summary.total ?? {}]]);
  return new Map(
    summary.rows.map(({ key, sums }) => [JSON.stringify(dimensions.map((name) => keyText(name, key))), sums ?? {}]),
  );
}

function keyText(dimension: Dimension, key: UsageKey | undefined): string {
  switch (dimension) {
    case "prompt":
      return key?.promptName ?? "";
    case "prompt_version":
      return `${key?.promptName} ${key?.promptVersion}`;
    case "day":
    case "hour":
      return key?.time ? timestampDate(key.time).toISOString() : "";
    case "error_reason":
      return key?.errorReason ?? "";
    case "cache_status":
      return String(key?.cacheStatus ?? 0);
    default:
      return key?.[dimension] ?? "";
  }
}

function compare(
  dimensions: readonly Dimension[],
  told: ReadonlyMap<string, Partial<Sums>>,
  counted: ReadonlyMap<string, Sums>,
): string[] {
  const found: string[] = [];
  for (const key of new Set([...told.keys(), ...counted.keys()])) {
    for (const name of sumNames) {
      const [is, should] = [told.get(key)?.[name] ?? 0n, counted.get(key)?.[name] ?? 0n];
      if (is !== should) found.push(`by ${dimensions.join(", ") || "nothing"} ${key}: ${name} is ${is}, not ${should}`);
    }
  }
  return found;
}
