import type { IdempotencyKey } from "../../../core/idempotency.ts";
import type { Database } from "./database.ts";
import type { StoredOutcome } from "./outcome.ts";

const SWEEP_ROWS = 500;

/**
 * All times are the database's own: processes need not agree on theirs. `clock_timestamp()`, since a statement that waited
 * for another's row must not judge it by the time it began.
 *
 * A row is taken where there is none, where it has expired, or where whoever had the turn is believed dead. What the
 * second half sees is from before the statement: nothing, where another inserted the row meanwhile.
 */
const TAKE = `
WITH turn AS (
  INSERT INTO idempotent_calls AS held
    (tenant, idempotency_key, request_hash, call_id, started_at, expires_at, lease_until)
  VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + interval '24 hours',
    clock_timestamp() + $5 * interval '1 millisecond')
  ON CONFLICT (tenant, idempotency_key) DO UPDATE SET request_hash = excluded.request_hash,
    call_id = excluded.call_id, is_taken_over = held.expires_at > clock_timestamp(), started_at = excluded.started_at,
    expires_at = excluded.expires_at, lease_until = excluded.lease_until, outcome_kind = NULL, outcome = NULL
  WHERE held.expires_at <= clock_timestamp()
    OR (held.lease_until <= clock_timestamp() AND held.request_hash = excluded.request_hash)
  RETURNING is_taken_over, request_hash, call_id, started_at
)
SELECT true AS is_turn, is_taken_over, true AS is_same, call_id, started_at, NULL AS outcome_kind, NULL AS outcome
FROM turn
UNION ALL
SELECT false, is_taken_over, request_hash = $3, call_id, started_at, outcome_kind, outcome
FROM idempotent_calls WHERE tenant = $1 AND idempotency_key = $2 AND NOT EXISTS (SELECT FROM turn)`;

const IS_RUNNING = `
SELECT FROM idempotent_calls WHERE tenant = $1 AND idempotency_key = $2 AND lease_until > clock_timestamp()`;

/** Whoever lost the turn finds no row of its own. Keeping twice, after an answer that was lost, changes nothing. */
const KEEP = `
UPDATE idempotent_calls SET lease_until = NULL, outcome_kind = $4, outcome = $5
WHERE tenant = $1 AND idempotency_key = $2 AND call_id = $3`;

const RELEASE = `
DELETE FROM idempotent_calls
WHERE tenant = $1 AND idempotency_key = $2 AND call_id = $3 AND lease_until IS NOT NULL`;

const RENEW = `
UPDATE idempotent_calls AS held SET lease_until = clock_timestamp() + $4 * interval '1 millisecond'
FROM unnest($1::text[], $2::text[], $3::text[]) AS mine (tenant, idempotency_key, call_id)
WHERE held.tenant = mine.tenant AND held.idempotency_key = mine.idempotency_key AND held.call_id = mine.call_id
  AND held.lease_until IS NOT NULL`;

/** In batches, so that no lock is held for long. Rows that another process is removing are left to it. */
const SWEEP = `
DELETE FROM idempotent_calls WHERE ctid = ANY (ARRAY (
  SELECT ctid FROM idempotent_calls WHERE expires_at <= clock_timestamp()
  ORDER BY expires_at LIMIT ${SWEEP_ROWS} FOR UPDATE SKIP LOCKED))`;

/** What there is for a key after somebody tried to take the turn. */
export type Taken =
  | { readonly kind: "turn"; readonly isTakenOver: boolean }
  | { readonly kind: "conflict"; readonly firstCallId: string; readonly firstStartedAtMs: number }
  | { readonly kind: "outcome"; readonly outcome: StoredOutcome }
  | { readonly kind: "running" }
  /** It changed while it was looked at. */
  | { readonly kind: "unknown" };

interface TakenRow {
  readonly is_turn: boolean;
  readonly is_taken_over: boolean;
  readonly is_same: boolean;
  readonly call_id: string;
  readonly started_at: Date;
  readonly outcome_kind: string | null;
  readonly outcome: Uint8Array | null;
}

/** The table of idempotent calls. Every method throws what `Database.query` does. */
export class IdempotentRows {
  readonly #database: Database;
  readonly #leaseMs: number;

  constructor(database: Database, leaseMs: number) {
    this.#database = database;
    this.#leaseMs = leaseMs;
  }

  async take({ tenant, key, requestHash, callId }: IdempotencyKey): Promise<Taken> {
    const values = [tenant, key, Buffer.from(requestHash, "hex"), callId, this.#leaseMs];
    const { rows } = await this.#database.query<TakenRow>(TAKE, values);
    const [row] = rows;
    if (!row) return { kind: "unknown" };
    if (row.is_turn) return { kind: "turn", isTakenOver: row.is_taken_over };
    if (!row.is_same) return { kind: "conflict", firstCallId: row.call_id, firstStartedAtMs: row.started_at.getTime() };
    if (row.outcome_kind === null || row.outcome === null) return { kind: "running" };
    return { kind: "outcome", outcome: { kind: row.outcome_kind, bytes: row.outcome } };
  }

  async isRunning({ tenant, key }: IdempotencyKey): Promise<boolean> {
    const { rows } = await this.#database.query(IS_RUNNING, [tenant, key]);
    return rows.length > 0;
  }

  /** Returns whether the turn was still the call's own. */
  async keep({ tenant, key, callId }: IdempotencyKey, { kind, bytes }: StoredOutcome): Promise<boolean> {
    const { rowCount } = await this.#database.query(KEEP, [tenant, key, callId, kind, bytes]);
    return rowCount === 1;
  }

  async release({ tenant, key, callId }: IdempotencyKey): Promise<void> {
    await this.#database.query(RELEASE, [tenant, key, callId]);
  }

  async renew(held: readonly IdempotencyKey[]): Promise<void> {
    const columns = [held.map(({ tenant }) => tenant), held.map(({ key }) => key), held.map(({ callId }) => callId)];
    await this.#database.query(RENEW, [...columns, this.#leaseMs]);
  }

  /** Removes some of the rows that have expired. Returns whether there may be more. */
  async sweep(): Promise<boolean> {
    const { rowCount } = await this.#database.query(SWEEP, []);
    return rowCount === SWEEP_ROWS;
  }
}
