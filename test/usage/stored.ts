import type pg from "pg";

/** A row of `calls`, as far as it is compared. Numbers of the database are text. */
export interface StoredCall {
  readonly call_id: string;
  readonly tenant: string;
  readonly feature: string;
  readonly user_id: string;
  readonly error_reason: string;
  readonly cost_nano_usd: string | null;
}

/** A row of `attempts`. */
export interface StoredAttempt {
  readonly call_id: string;
  readonly attempt: number;
  readonly tenant: string;
  readonly feature: string;
  readonly model: string;
  readonly provider_model: string;
  readonly estimated_prompt_tokens: string;
  readonly prompt_tokens: string | null;
  readonly cached_prompt_tokens: string | null;
  readonly completion_tokens: string | null;
  readonly reasoning_tokens: string | null;
  readonly usage_estimated: boolean | null;
  readonly cost_nano_usd: string | null;
  readonly error_reason: string | null;
}

/** Everything in the ledger's tables. */
export interface Stored {
  readonly calls: readonly StoredCall[];
  readonly attempts: readonly StoredAttempt[];
}

export async function readStored(pool: pg.Pool): Promise<Stored> {
  const calls = await pool.query<StoredCall>(
    "SELECT call_id, tenant, feature, user_id, error_reason, cost_nano_usd::text FROM calls",
  );
  const attempts = await pool.query<StoredAttempt>(
    `SELECT call_id, attempt, tenant, feature, model, provider_model, estimated_prompt_tokens::text, prompt_tokens::text,
       cached_prompt_tokens::text, completion_tokens::text, reasoning_tokens::text, usage_estimated,
       cost_nano_usd::text, error_reason FROM attempts`,
  );
  return { calls: calls.rows, attempts: attempts.rows };
}
