/** Money and counts in records are decimal strings or numbers, so that a record is plain JSON. */
export interface AttemptStarted {
  readonly type: "attempt_started";
  readonly call_id: string;
  readonly attempt: number;
  readonly tenant: string;
  readonly feature: string;
  readonly user: string;
  /** Id of the API key; empty where the service was open. */
  readonly key_id: string;
  /** Of its call: what attempts are grouped by also when their process dies before the call has a record. */
  readonly method: string;
  readonly prompt_name: string;
  readonly prompt_version: string;
  readonly model: string;
  readonly provider: string;
  readonly provider_model: string;
  /** Whether no real model was asked. */
  readonly synthetic: boolean;
  readonly cause: string;
  readonly wait_ms: number;
  /** What the attempt is charged if its end is never seen: our own count of the prompt, and the price if known. */
  readonly estimated_prompt_tokens: number;
  readonly estimated_cost_nano_usd: string | null;
  readonly started_at: string;
}

export interface AttemptFinished {
  readonly type: "attempt_finished";
  readonly call_id: string;
  readonly attempt: number;
  readonly prompt_tokens: number;
  readonly cached_prompt_tokens: number;
  readonly completion_tokens: number;
  readonly reasoning_tokens: number;
  readonly usage_estimated: boolean;
  /** null: unknown. */
  readonly cost_nano_usd: string | null;
  readonly price_version: string | null;
  readonly latency_ms: number;
  readonly time_to_first_token_ms: number | null;
  readonly http_status: number;
  /** Empty: none. */
  readonly error_reason: string;
  readonly finished_at: string;
}

export interface CallFinished {
  readonly type: "call_finished";
  readonly call_id: string;
  readonly tenant: string;
  readonly feature: string;
  readonly user: string;
  /** Id of the API key; empty where the service was open. */
  readonly key_id: string;
  readonly method: string;
  readonly prompt_name: string;
  readonly prompt_version: string;
  readonly model: string;
  readonly answered_by: string;
  /** Keyed hash of the input, hex. */
  readonly input_hash: string;
  readonly cache_status: string;
  readonly attempts: number;
  readonly prompt_tokens: number;
  readonly cached_prompt_tokens: number;
  readonly completion_tokens: number;
  readonly reasoning_tokens: number;
  readonly usage_estimated: boolean;
  /** null: unknown. */
  readonly cost_nano_usd: string | null;
  readonly saved_nano_usd: string | null;
  readonly latency_ms: number;
  readonly stage_ms: Readonly<Record<string, number>>;
  readonly synthetic: boolean;
  /** Empty: none. */
  readonly error_reason: string;
  readonly started_at: string;
  readonly finished_at: string;
}

export type LedgerRecord = AttemptStarted | AttemptFinished | CallFinished;

/** Where charges are recorded before anything else happens. Never waits for a database. */
export interface Ledger {
  /**
   * Resolves when the record is in the spool file (written, so that it survives the process).
   * @throws SluiceError STORE_UNAVAILABLE when the spool is full or cannot be written, for `attempt_started` only:
   *   uncounted money is worse than a refused call. The room for the outcomes of started attempts is kept free.
   */
  record(record: LedgerRecord): Promise<void>;
}
