import type pg from "pg";
import type { UsageStore } from "../../core/usage.ts";
import { getCall, listCalls } from "./usage-calls.ts";
import { UsageDatabase, type UsageDatabaseOptions } from "./usage-database.ts";
import { summarize } from "./usage-summary.ts";

/** What a person waits for, and short enough for the other users of the pool. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** The pool has ten connections; the drain and idempotent calls need some of them. */
const MAX_CONCURRENCY = 4;
/** Questions of a page of charts come together, and most take less. */
const WAIT_MS = 2000;

/** As of `UsageDatabaseOptions`; each has a default. */
type UsageStoreOptions = Partial<Omit<UsageDatabaseOptions, "pool">>;

/**
 * Answers questions from the ledger's tables.
 * @param pool of a migrated database, which may still be opening; where that takes too long or failed, every question is
 *   refused.
 */
export function createUsageStore(pool: Promise<pg.Pool>, options: UsageStoreOptions = {}): UsageStore {
  const { statementTimeoutMs = STATEMENT_TIMEOUT_MS, maxConcurrency = MAX_CONCURRENCY, waitMs = WAIT_MS } = options;
  // No tenant can keep the others from asking.
  const { openingMs, maxConcurrencyPerTenant = Math.ceil(maxConcurrency / 2) } = options;
  const database = new UsageDatabase({
    ...{ pool, statementTimeoutMs, maxConcurrency, maxConcurrencyPerTenant, waitMs, openingMs },
  });
  return {
    summarize: (query) => database.read((client) => summarize(client, query), query.tenant),
    listCalls: (query) => database.read((client) => listCalls(client, query), query.tenant),
    getCall: (tenant, callId) => database.read((client) => getCall(client, tenant, callId), tenant),
  };
}
