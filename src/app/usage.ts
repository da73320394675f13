import { createFeatureHistory } from "../adapters/postgres/feature-history.ts";
import { createUsageStore } from "../adapters/postgres/usage-store.ts";
import type { DrainedLedger } from "../adapters/spool/ledger.ts";
import type { UsageBacklog } from "../core/usage.ts";
import { createEstimator, type EstimatePorts } from "../pipeline/estimate.ts";
import type { UsageServicePorts } from "../rpc/usage-service.ts";
import type { OpeningDatabase } from "./database.ts";

/** What the ledger tells of the past, and what can be computed of the future. */
export function openUsage(
  { pool }: OpeningDatabase,
  ledger: DrainedLedger,
  ports: Omit<EstimatePorts, "history">,
): Pick<UsageServicePorts, "usage" | "backlog" | "estimator"> {
  return {
    usage: createUsageStore(pool),
    backlog: () => backlogOf(ledger),
    estimator: createEstimator({ ...ports, history: createFeatureHistory(pool) }),
  };
}

function backlogOf(ledger: DrainedLedger): UsageBacklog {
  const { pendingRecords, completeUntilMs } = ledger.status();
  return { pendingRecords, ...(completeUntilMs !== undefined && { completeUntilMs }) };
}
