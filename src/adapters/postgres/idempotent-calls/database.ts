import pg from "pg";
import { after, type Clock } from "../../../core/clock.ts";
import { SluiceError } from "../../../core/failure.ts";
import type { Log } from "../../../core/log.ts";

/** Longest that the database is waited for: until it is open and migrated, and again for a connection. */
const OPEN_TIMEOUT_MS = 5000;
/** Longest that one statement may take. */
const STATEMENT_TIMEOUT_MS = 2000;
const RETRY_AFTER_MS = 1000;

export interface DatabasePorts {
  /** The pool of a migrated database, which may still be opening, or a way to ask for it. */
  readonly pool: Promise<pg.Pool> | (() => Promise<pg.Pool>);
  readonly log: Log;
  readonly clock: Clock;
}

/** Single statements with limits of their own, on a database that may be away. */
export class Database {
  readonly #ports: DatabasePorts;
  #failures = 0;

  constructor(ports: DatabasePorts) {
    this.#ports = ports;
    // Whoever needs the pool hears of it.
    if (typeof ports.pool !== "function") ports.pool.catch(() => {});
  }

  /**
   * @throws SluiceError STORE_UNAVAILABLE when the database is away or too slow, UnsureError where the statement was
   *   sent; the driver's error where the values are what it refuses.
   */
  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<Row>> {
    let isSent = false;
    try {
      const client = await this.#connect();
      isSent = true;
      const result = await run<Row>(client, text, values);
      if (this.#failures > 0) this.#ports.log.info("idempotency_store_back", { failures: this.#failures });
      this.#failures = 0;
      return result;
    } catch (error) {
      if (isRefusal(error)) throw error;
      if (this.#failures === 0) this.#ports.log.warn("idempotency_store_away", { error });
      this.#failures += 1;
      throw isSent ? new UnsureError(AWAY, { cause: error }) : storeUnavailable(error);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    const { pool, clock } = this.#ports;
    const opened = await within(clock, typeof pool === "function" ? pool() : pool);
    const connected = opened.connect();
    try {
      return await within(clock, connected);
    } catch (error) {
      // One that comes late is not kept from others.
      connected.then((client) => client.release()).catch(() => {});
      throw error;
    }
  }
}

/** The database may have carried out the statement all the same. */
export class UnsureError extends SluiceError {}

const AWAY = { reason: "STORE_UNAVAILABLE", resource: "postgres", limit: 0, retryAfterMs: RETRY_AFTER_MS } as const;

export function storeUnavailable(cause: unknown): SluiceError {
  return new SluiceError(AWAY, { cause });
}

async function run<Row extends pg.QueryResultRow>(
  client: pg.PoolClient,
  text: string,
  values: unknown[],
): Promise<pg.QueryResult<Row>> {
  // An error of the connection reaches us through the query; without a listener it would end the process too.
  const ignore = () => {};
  client.on("error", ignore);
  // The types of `pg` do not know that a query can have a limit of its own.
  const config: pg.QueryConfig & { query_timeout: number } = { text, values, query_timeout: STATEMENT_TIMEOUT_MS };
  let broken: Error | undefined;
  try {
    return await client.query<Row>(config);
  } catch (error) {
    // What the server answers leaves the connection as it was; anything else may have left a statement in it.
    if (!(error instanceof pg.DatabaseError)) broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.removeListener("error", ignore);
    client.release(broken);
  }
}

function within<T>(clock: Clock, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const callOff = after(clock, OPEN_TIMEOUT_MS, () =>
    reject(new Error(`the database is not there within ${OPEN_TIMEOUT_MS} ms`)),
  );
  work.then(resolve, reject).finally(callOff);
  return promise;
}

/** SQLSTATE classes 22 (data exception, such as a NUL in a text), 23 (constraint), 54 (too large for an index). */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23|54)/.test(error.code ?? "");
}
