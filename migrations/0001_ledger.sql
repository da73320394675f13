-- One row per call and one per upstream attempt. Money is integer nano-USD (10^-9 USD); null is unknown, never zero.
-- Tenant first in every key and index: no query crosses tenants.

CREATE TABLE calls (
  tenant text NOT NULL,
  call_id text NOT NULL,
  feature text NOT NULL,
  user_id text NOT NULL,
  method text NOT NULL,
  prompt_name text NOT NULL,
  prompt_version text NOT NULL,
  model text NOT NULL,
  answered_by text NOT NULL,
  input_hash text NOT NULL,
  cache_status text NOT NULL,
  attempts integer NOT NULL CHECK (attempts >= 0),
  prompt_tokens bigint NOT NULL CHECK (prompt_tokens >= 0),
  cached_prompt_tokens bigint NOT NULL CHECK (cached_prompt_tokens >= 0),
  completion_tokens bigint NOT NULL CHECK (completion_tokens >= 0),
  reasoning_tokens bigint NOT NULL CHECK (reasoning_tokens >= 0),
  usage_estimated boolean NOT NULL,
  cost_nano_usd bigint CHECK (cost_nano_usd >= 0),
  saved_nano_usd bigint CHECK (saved_nano_usd >= 0),
  latency_ms bigint NOT NULL CHECK (latency_ms >= 0),
  stage_ms jsonb NOT NULL,
  synthetic boolean NOT NULL,
  error_reason text NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, call_id)
);

CREATE INDEX calls_by_time ON calls (tenant, started_at, call_id);

-- The start and the end of an attempt arrive as two records, in any order and any number of times. Columns of the part
-- that has not arrived are null; an attempt without an end is under way, or was when its process died.
CREATE TABLE attempts (
  tenant text NOT NULL,
  call_id text NOT NULL,
  attempt integer NOT NULL CHECK (attempt > 0),
  feature text,
  user_id text,
  model text,
  provider text,
  provider_model text,
  cause text,
  wait_ms bigint CHECK (wait_ms >= 0),
  estimated_prompt_tokens bigint CHECK (estimated_prompt_tokens >= 0),
  estimated_cost_nano_usd bigint CHECK (estimated_cost_nano_usd >= 0),
  started_at timestamptz,
  prompt_tokens bigint CHECK (prompt_tokens >= 0),
  cached_prompt_tokens bigint CHECK (cached_prompt_tokens >= 0),
  completion_tokens bigint CHECK (completion_tokens >= 0),
  reasoning_tokens bigint CHECK (reasoning_tokens >= 0),
  usage_estimated boolean,
  cost_nano_usd bigint CHECK (cost_nano_usd >= 0),
  price_version text,
  latency_ms bigint CHECK (latency_ms >= 0),
  time_to_first_token_ms bigint CHECK (time_to_first_token_ms >= 0),
  http_status integer,
  error_reason text,
  finished_at timestamptz,
  PRIMARY KEY (tenant, call_id, attempt),
  CHECK (started_at IS NOT NULL OR finished_at IS NOT NULL)
);

CREATE INDEX attempts_by_time ON attempts (tenant, started_at, call_id);
