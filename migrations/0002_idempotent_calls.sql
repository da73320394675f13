-- One row per idempotency key of a tenant: the call that has the turn, then what it came to. Rows live 24 hours.

CREATE TABLE idempotent_calls (
  tenant text NOT NULL,
  idempotency_key text NOT NULL,
  request_hash bytea NOT NULL,
  call_id text NOT NULL,
  -- Whether a process that had the turn before went away without an outcome.
  is_taken_over boolean NOT NULL DEFAULT false,
  started_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- Until when the call that has the turn is believed to be alive. Null once there is an outcome.
  lease_until timestamptz,
  -- 'COMPLETION', 'JSON_COMPLETION' or the reason of a failure; it says which message of the contract `outcome` is.
  outcome_kind text,
  outcome bytea,
  PRIMARY KEY (tenant, idempotency_key),
  CHECK ((lease_until IS NULL) = (outcome IS NOT NULL)),
  CHECK ((outcome_kind IS NULL) = (outcome IS NULL))
);

CREATE INDEX idempotent_calls_by_expiry ON idempotent_calls (expires_at);
