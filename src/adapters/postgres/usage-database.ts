import pg from "pg";
import { SluiceError } from "../../core/failure.ts";
import { FairSlots } from "./fair-slots.ts";

const RETRY_AFTER_MS = 1000;
/** SQLSTATE of a statement that was ended for its time. */
const TIMED_OUT = "57014";
/** Classes that say that the database, not the question, has a problem. */
const AWAY = /^(08|40|53|55|57|58)/;

export interface UsageDatabaseOptions {
  /** The pool of a migrated database, which may still be opening. */
  readonly pool: Promise<pg.Pool>;
  /** How long after the start questions wait for a pool that is opening, in milliseconds. Default 15,000. */
  readonly openingMs?: number | undefined;
  /** Longest that one statement may take, in milliseconds. The embedded database cannot end one. */
  readonly statementTimeoutMs: number;
  /** Most questions at once. The drain of the ledger needs connections of the same pool. */
  readonly maxConcurrency: number;
  /** Most of them for one tenant. Default all. */
  readonly maxConcurrencyPerTenant?: number | undefined;
  /** How long a question waits where there are too many, in milliseconds, before it is refused. Default 0. */
  readonly waitMs?: number | undefined;
}

/** A new embedded database takes 4 to 8 seconds. */
const OPENING_MS = 15_000;
/** More are refused at once. */
const MAX_WAITING_PER_TENANT = 8;
const MAX_WAITING = 64;

/** Questions to a database that may be away, each on one state of it. */
export class UsageDatabase {
  readonly #options: UsageDatabaseOptions;
  /** The pool, or undefined where the database is not there by the end of its opening time. */
  readonly #opening: Promise<pg.Pool | undefined>;
  readonly #slots: FairSlots;
  #pool: pg.Pool | undefined;

  constructor(options: UsageDatabaseOptions) {
    this.#options = options;
    this.#slots = new FairSlots({
      slots: options.maxConcurrency,
      perKey: options.maxConcurrencyPerTenant ?? options.maxConcurrency,
      waitMs: options.waitMs ?? 0,
      maxWaitingPerKey: MAX_WAITING_PER_TENANT,
      maxWaiting: MAX_WAITING,
    });
    const opened = options.pool.then(
      (pool) => {
        this.#pool = pool;
        return pool;
      },
      // Whoever opens it says why; here it stays away.
      () => undefined,
    );
    const { promise: over, resolve } = Promise.withResolvers<undefined>();
    setTimeout(() => resolve(undefined), options.openingMs ?? OPENING_MS).unref();
    this.#opening = Promise.race([opened, over]);
  }

  /**
   * Runs `work` in a transaction that changes nothing and sees one state.
   * @param tenant whose share of the questions this one is of; those about all tenants are of one share.
   */
  async read<T>(work: (client: pg.PoolClient) => Promise<T>, tenant = ""): Promise<T> {
    const { statementTimeoutMs, maxConcurrency, maxConcurrencyPerTenant = maxConcurrency } = this.#options;
    const pool = this.#pool ?? (await this.#opening);
    if (!pool) throw unavailable();
    const release = await this.#slots.take(tenant);
    if (!release) throw overloaded("usage_queries", maxConcurrencyPerTenant);
    try {
      return await inSnapshot(pool, statementTimeoutMs, work);
    } catch (error) {
      throw translated(error, statementTimeoutMs);
    } finally {
      release();
    }
  }
}

async function inSnapshot<T>(
  pool: pg.Pool,
  timeoutMs: number,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // An error of the connection reaches `work` through its query; without a listener it would end the process too.
  const ignore = () => {};
  client.on("error", ignore);
  let broken: Error | undefined;
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    // Sums by user need more room than other queries, and a plan that is used once is not worth compiling.
    await client.query(`SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL work_mem = '32MB'; SET LOCAL jit = off`);
    return await work(client);
  } finally {
    // Nothing was written: both ends are the same.
    await client.query("ROLLBACK").catch((error: Error) => {
      broken = error;
    });
    client.removeListener("error", ignore);
    client.release(broken);
  }
}

/** What is not the database's answer comes of the connection. What it says of the question itself is our bug. */
function translated(error: unknown, timeoutMs: number): unknown {
  if (error instanceof SluiceError || error instanceof TypeError || error instanceof RangeError) return error;
  const code = error instanceof pg.DatabaseError ? (error.code ?? "") : undefined;
  if (code === TIMED_OUT) return overloaded("usage_query_ms", timeoutMs, error);
  return code === undefined || AWAY.test(code) ? unavailable(error) : error;
}

function unavailable(cause?: unknown): SluiceError {
  return new SluiceError(
    { reason: "STORE_UNAVAILABLE", resource: "postgres", limit: 0, retryAfterMs: RETRY_AFTER_MS },
    { cause },
  );
}

function overloaded(resource: string, limit: number, cause?: unknown): SluiceError {
  return new SluiceError({ reason: "OVERLOADED", resource, limit, retryAfterMs: RETRY_AFTER_MS }, { cause });
}
