import pg from "pg";
import { SluiceError } from "../../../core/failure.ts";
import type { Log } from "../../../core/log.ts";
import { FairSlots } from "../fair-slots.ts";

const RETRY_AFTER_MS = 1000;
/** A new embedded database takes 4 to 8 seconds. */
const OPENING_MS = 15_000;
/** Longest that one statement may take, in milliseconds. The embedded database cannot end one. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** The pool has ten connections; the drain of the ledger and idempotent calls need some of them. */
const MAX_CONCURRENCY = 6;
const MAX_CONCURRENCY_PER_TENANT = 4;
/** A transaction takes milliseconds: who waits for so long waits in vain. */
const WAIT_MS = 10_000;
const MAX_WAITING_PER_TENANT = 512;
const MAX_WAITING = 4096;

/** SQLSTATE of a statement that was ended, for its time or by a cancel. */
const ENDED = "57014";
/** Classes that say that the database, not the question, has a problem. */
const AWAY = /^(08|40|53|55|57|58)/;

export interface CorpusDatabaseOptions {
  /** The pool of a database whose schema for retrieval is there, which may still be opening. */
  readonly pool: Promise<pg.Pool>;
  /** What stands in the way where the pool does not come: said in place of `postgres`. */
  readonly obstacle?: () => string | undefined;
  readonly log: Log;
}

/** For one transaction: everything in it is the tenant's. */
export interface TenantWork {
  readonly tenant: string;
  readonly signal: AbortSignal;
  /** Runs as the owner of the tables, to make or drop some. */
  readonly asOwner?: boolean;
}

/** Transactions of tenants, on a database that may be away. */
export class CorpusDatabase {
  readonly #options: CorpusDatabaseOptions;
  readonly #opening: Promise<pg.Pool | undefined>;
  readonly #slots: FairSlots;
  #pool: pg.Pool | undefined;

  constructor(options: CorpusDatabaseOptions) {
    this.#options = options;
    this.#slots = new FairSlots({
      ...{ slots: MAX_CONCURRENCY, perKey: MAX_CONCURRENCY_PER_TENANT, waitMs: WAIT_MS },
      ...{ maxWaitingPerKey: MAX_WAITING_PER_TENANT, maxWaiting: MAX_WAITING },
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
    setTimeout(() => resolve(undefined), OPENING_MS).unref();
    this.#opening = Promise.race([opened, over]);
  }

  /**
   * Runs `work` in a transaction that changes nothing and sees one state. Its answer does not wait for the transaction's
   * end. `first` is asked with its beginning, in one round trip; its rows are given to `work`.
   */
  read<T>(
    tenantWork: TenantWork,
    first: { readonly sql: string; readonly settings?: string },
    work: (client: pg.PoolClient, rows: pg.QueryResultRow[]) => Promise<T>,
  ): Promise<T> {
    const { settings = "" } = first;
    return this.#run(tenantWork, async (client, done) => {
      const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${asTenant(tenantWork)}; ${settings} ${first.sql}`;
      const rows = lastRows(await client.query(bounded(begin)));
      const answer = await work(client, rows);
      done(client.query("ROLLBACK"));
      return answer;
    });
  }

  /** Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. */
  write<T>(tenantWork: TenantWork, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return this.#run(tenantWork, async (client) => {
      await client.query(bounded(`BEGIN; ${asTenant(tenantWork)}`));
      const answer = await work(client);
      tenantWork.signal.throwIfAborted();
      await client.query("COMMIT");
      return answer;
    });
  }

  async #run<T>(
    { tenant, signal }: TenantWork,
    work: (client: pg.PoolClient, done: (end: Promise<unknown>) => void) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const pool = this.#pool ?? (await untilAborted(this.#opening, signal));
    if (!pool) throw unavailable(this.#options.obstacle?.());
    const slot = this.#slots.take(tenant);
    const release = await untilAborted(slot, signal).catch((error: unknown) => {
      void slot.then((late) => late?.());
      throw error;
    });
    if (!release) throw overloaded("corpus_queries", MAX_CONCURRENCY_PER_TENANT);
    // The connection is used until the transaction has ended, whether or not its caller still waits.
    const running = this.#transact(pool, work, signal).finally(release);
    return untilAborted(running, signal);
  }

  async #transact<T>(
    pool: pg.Pool,
    work: (client: pg.PoolClient, done: (end: Promise<unknown>) => void) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    let client: pg.PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      throw translated(error);
    }
    // An error of the connection reaches `work` through its query; without a listener it would end the process too.
    const ignore = () => {};
    client.on("error", ignore);
    const giveBack = (broken?: Error) => {
      client.removeListener("error", ignore);
      client.release(broken);
    };
    const cancel = () => void cancelStatement(pool, client, this.#options.log);
    signal.addEventListener("abort", cancel, { once: true });
    let ending: Promise<unknown> | undefined;
    try {
      const answer = await work(client, (end) => {
        ending = end;
      });
      if (!ending) giveBack();
      else void ending.then(() => giveBack(), giveBack);
      return answer;
    } catch (error) {
      // A connection that does not answer is not asked to roll back: closing it does.
      if (isOfConnection(error)) giveBack(error);
      else await client.query("ROLLBACK").then(() => giveBack(), giveBack);
      throw translated(error);
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }
}

/** What makes a transaction the tenant's. Statements of this kind take no parameters, so the tenant is quoted. */
function asTenant({ tenant, asOwner }: TenantWork): string {
  const role = asOwner ? "" : "SET LOCAL ROLE sluice_tenant; ";
  return `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET LOCAL lock_timeout = ${STATEMENT_TIMEOUT_MS}; ${role}SET LOCAL sluice.tenant = ${pg.escapeLiteral(tenant)}`;
}

/** Of several statements in one text. */
function lastRows(result: pg.QueryResult | pg.QueryResult[]): pg.QueryResultRow[] {
  return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
}

/** Over another connection, as Postgres has it. The embedded database has no other, and cannot end a statement. */
async function cancelStatement(pool: pg.Pool, client: pg.PoolClient, log: Log): Promise<void> {
  const processId: unknown = Reflect.get(client, "processID");
  if (typeof processId !== "number" || pool.options.max === 1) return;
  try {
    await pool.query("SELECT pg_cancel_backend($1)", [processId]);
  } catch (error) {
    log.debug("corpus_cancel_failed", { error });
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

/** The server's own timeout cannot fire where the server stands still: the first statement tells. */
function bounded(text: string): pg.QueryConfig & { query_timeout: number } {
  return { text, query_timeout: STATEMENT_TIMEOUT_MS };
}

function isOfConnection(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof pg.DatabaseError) && !(error instanceof SluiceError);
}

/** What is not the database's answer comes of the connection. What it says of the question itself is our bug. */
function translated(error: unknown): unknown {
  if (error instanceof SluiceError || error instanceof TypeError || error instanceof RangeError) return error;
  const code = error instanceof pg.DatabaseError ? (error.code ?? "") : undefined;
  if (code === ENDED) return overloaded("corpus_query_ms", STATEMENT_TIMEOUT_MS, error);
  return code === undefined || AWAY.test(code) ? unavailable(undefined, error) : error;
}

function unavailable(resource = "postgres", cause?: unknown): SluiceError {
  return new SluiceError({ reason: "STORE_UNAVAILABLE", resource, limit: 0, retryAfterMs: RETRY_AFTER_MS }, { cause });
}

function overloaded(resource: string, limit: number, cause?: unknown): SluiceError {
  return new SluiceError({ reason: "OVERLOADED", resource, limit, retryAfterMs: RETRY_AFTER_MS }, { cause });
}
