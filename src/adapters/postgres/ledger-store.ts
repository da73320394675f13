import pg from "pg";
import { type LedgerStore, RefusedRecordsError } from "../spool/ledger-store.ts";
import { INSERT_ROWS, rowParameters } from "./ledger-rows.ts";
import { addUsage, attemptUsage, callUsage, HOUR_KEYS, USER_HOUR_KEYS } from "./usage-sums.ts";

/**
 * One statement stores a batch and adds what is new in it to the sums of its hours. Its parts work in this order on every
 * connection, each on sorted keys, so that connections never wait for each other in a circle; the sums that all of them
 * share come last, and are locked the shortest.
 */
const WRITE = `${INSERT_ROWS}, new_usage AS MATERIALIZED (${callUsage("new_calls")}
  UNION ALL ${attemptUsage("new_attempts")}
  UNION ALL ${attemptUsage("new_attempts", { isUndone: true, where: "end_came_first" })}
), shared AS (${addUsage("usage_hours", HOUR_KEYS, "new_usage")})
${addUsage("usage_user_hours", USER_HOUR_KEYS, "new_usage")}`;

const STATEMENT_NAME = "sluice_write_ledger";

/**
 * Whether the statement was not, or already, prepared where it arrived: between us and the database is something that
 * hands sessions around, such as PgBouncer. Nothing was carried out.
 */
function isForeignSession(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(26000|42P05)$/.test(error.code ?? "");
}

/** The ledger's tables over a pool whose database is migrated. `close` leaves the pool to whoever opened it. */
export function createLedgerStore(pool: pg.Pool): LedgerStore {
  // Prepared once per connection: reading and planning the statement takes a quarter of the time.
  let isPrepared = true;
  const query = async (values: string[]): Promise<unknown> => {
    if (!isPrepared) return pool.query(WRITE, values);
    try {
      return await pool.query({ name: STATEMENT_NAME, text: WRITE, values });
    } catch (error) {
      if (!isForeignSession(error)) throw error;
      isPrepared = false;
      return pool.query(WRITE, values);
    }
  };
  return {
    async write(records) {
      try {
        await query(rowParameters(records));
      } catch (error) {
        throw isRefusal(error) ? new RefusedRecordsError(error.message, { cause: error }) : error;
      }
    },
    async close() {},
  };
}

/**
 * Whether the database refused what is in the records: SQLSTATE class 22 (data exception, such as a NUL in a text or a
 * number out of range), 23 (constraint), 54 (a value too large for an index). Every other error says that the database
 * or the connection has a problem, which passes.
 */
function isRefusal(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && /^(22|23|54)/.test(error.code ?? "");
}
