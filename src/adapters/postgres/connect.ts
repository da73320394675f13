import pg from "pg";
import type { Log } from "../../core/log.ts";

/** Connections to a database, embedded or not. */
export type PostgresPool = pg.Pool;

export interface PostgresOptions {
  readonly log: Log;
  /** At most this many connections. Default 10. */
  readonly maxConnections?: number;
  /** Longest a statement may run, in milliseconds. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** Longest a connection may take, or be waited for, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number;
}

/**
 * A pool of connections to Postgres. It connects when it is first used: a database that is away is an error of that
 * use, and the next use tries again. `end()` closes it.
 * @throws TypeError when the URL is none.
 */
export function connectPostgres(url: string, options: PostgresOptions): pg.Pool {
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new TypeError("the database URL must begin with postgres:// or postgresql://");
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "sluice",
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5000,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    // The server's own timeout cannot fire when the network is cut: then nothing would ever come back.
    query_timeout: statementTimeoutMs + 5000,
    keepAlive: true,
  });
  return survivingIdleErrors(pool, options.log);
}

/**
 * A connection that breaks while nobody uses it is told to the pool, which replaces it; without a listener Node would
 * end the process.
 */
export function survivingIdleErrors(pool: pg.Pool, log: Log): pg.Pool {
  pool.on("error", (error) => log.warn("postgres_connection_lost", { error }));
  return pool;
}
