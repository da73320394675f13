-- What calls and attempts are summed by. Rows of the ledger carry the time of their call and what their money is grouped
-- by; two tables hold the sums of each hour, kept by the statement that inserts the rows.

-- When a call began: the milliseconds in its id, a UUID of version 7. Any other id has the time of its record.
CREATE FUNCTION sluice_call_time(call_id text, otherwise timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN call_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-'
    THEN to_timestamp(('x' || left(call_id, 8) || substr(call_id, 10, 4))::bit(48)::bigint / 1000.0)
    ELSE otherwise END
$$;

-- The hour in UTC, whatever the time zone of the session.
CREATE FUNCTION sluice_hour(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT date_bin('1 hour', moment, '2000-01-01 00:00:00+00')
$$;

-- Bucket of a latency: 0 up to 1 ms, then one for every 4 %. Bucket b holds latencies above 1.04^(b-1) ms up to 1.04^b ms.
CREATE FUNCTION sluice_latency_bucket(latency_ms bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN latency_ms <= 1 THEN 0 ELSE ceil(ln(latency_ms::float8) / ln(1.04::float8))::bigint END
$$;

-- A histogram is an array of elements bucket * 2^32 + number of calls. A bucket may come more than once; this merges them.
CREATE FUNCTION sluice_merge_histogram(histogram bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg((bucket << 32) + calls ORDER BY bucket) FROM (
    SELECT element >> 32 AS bucket, sum(element & 4294967295)::bigint AS calls FROM unnest(histogram) AS element GROUP BY 1
  ) AS buckets
$$;

ALTER TABLE calls ADD COLUMN called_at timestamptz
  GENERATED ALWAYS AS (sluice_call_time(call_id, started_at)) STORED;

-- Like all columns of the start, null until it has arrived. `end_came_first` is true where the end was stored, and
-- counted without what only the start knows, before the start was.
ALTER TABLE attempts
  ADD COLUMN method text,
  ADD COLUMN prompt_name text,
  ADD COLUMN prompt_version text,
  ADD COLUMN synthetic boolean,
  ADD COLUMN end_came_first boolean NOT NULL DEFAULT false,
  ADD COLUMN called_at timestamptz
    GENERATED ALWAYS AS (sluice_call_time(call_id, coalesce(started_at, finished_at))) STORED;

-- Attempts of before know no more than their call does.
UPDATE attempts SET method = coalesce(calls.method, ''), prompt_name = coalesce(calls.prompt_name, ''),
  prompt_version = coalesce(calls.prompt_version, ''), synthetic = coalesce(calls.synthetic, false)
FROM attempts AS old LEFT JOIN calls USING (tenant, call_id)
WHERE old.tenant = attempts.tenant AND old.call_id = attempts.call_id AND old.attempt = attempts.attempt
  AND attempts.started_at IS NOT NULL;

DROP INDEX calls_by_time;
DROP INDEX attempts_by_time;
CREATE INDEX calls_by_time ON calls (tenant, called_at, call_id);
CREATE INDEX attempts_by_time ON attempts (tenant, called_at, call_id);

-- Sums of an hour. Counts of calls, what was saved and latencies are of calls; tokens and money are of attempts. Money
-- and tokens are numeric, so that no sum can overflow and keep rows out.
CREATE TABLE usage_hours (
  tenant text NOT NULL,
  hour timestamptz NOT NULL,
  feature text NOT NULL,
  model text NOT NULL,
  prompt_name text NOT NULL,
  prompt_version text NOT NULL,
  synthetic boolean NOT NULL,
  calls bigint NOT NULL,
  failed_calls bigint NOT NULL,
  memory_hits bigint NOT NULL,
  shared_hits bigint NOT NULL,
  joined_calls bigint NOT NULL,
  replayed_calls bigint NOT NULL,
  saved_nano_usd numeric NOT NULL,
  -- Answers that were given without paying for them, whose price is unknown.
  unpriced_hits bigint NOT NULL,
  latency bigint[] NOT NULL,
  attempts bigint NOT NULL,
  prompt_tokens numeric NOT NULL,
  cached_prompt_tokens numeric NOT NULL,
  completion_tokens numeric NOT NULL,
  reasoning_tokens numeric NOT NULL,
  cost_nano_usd numeric NOT NULL,
  unpriced_attempts bigint NOT NULL,
  estimated_attempts bigint NOT NULL
) WITH (fillfactor = 50);

-- The same by user, apart: the number of users must not slow down sums that do not ask for them.
CREATE TABLE usage_user_hours (LIKE usage_hours) WITH (fillfactor = 80);
ALTER TABLE usage_user_hours ADD COLUMN user_id text NOT NULL;

INSERT INTO usage_user_hours
SELECT tenant, sluice_hour(called_at), feature, model, prompt_name, prompt_version, synthetic, sum(calls), sum(failed_calls),
  sum(memory_hits), sum(shared_hits), sum(joined_calls), sum(replayed_calls), sum(saved_nano_usd), sum(unpriced_hits),
  coalesce(array_agg(latency) FILTER (WHERE latency IS NOT NULL), '{}'), sum(attempts), sum(prompt_tokens),
  sum(cached_prompt_tokens), sum(completion_tokens), sum(reasoning_tokens), sum(cost_nano_usd), sum(unpriced_attempts),
  sum(estimated_attempts), user_id
FROM (
  SELECT tenant, called_at, feature, user_id, model, prompt_name, prompt_version, synthetic, 1 AS calls,
    (error_reason <> '')::int AS failed_calls, (cache_status = 'memory_hit')::int AS memory_hits,
    (cache_status = 'shared_hit')::int AS shared_hits, (cache_status = 'joined')::int AS joined_calls,
    (cache_status = 'replayed')::int AS replayed_calls, coalesce(saved_nano_usd, 0) AS saved_nano_usd,
    (cache_status IN ('memory_hit', 'shared_hit', 'joined', 'replayed') AND saved_nano_usd IS NULL)::int AS unpriced_hits,
    (sluice_latency_bucket(latency_ms) << 32) + 1 AS latency, 0 AS attempts, 0 AS prompt_tokens,
    0 AS cached_prompt_tokens, 0 AS completion_tokens, 0 AS reasoning_tokens, 0 AS cost_nano_usd,
    0 AS unpriced_attempts, 0 AS estimated_attempts
  FROM calls
  UNION ALL
  SELECT tenant, called_at, coalesce(feature, ''), coalesce(user_id, ''), coalesce(model, ''),
    coalesce(prompt_name, ''), coalesce(prompt_version, ''), coalesce(synthetic, false), 0, 0, 0, 0, 0, 0, 0, 0, NULL,
    1, prompt_tokens, cached_prompt_tokens, completion_tokens, reasoning_tokens, coalesce(cost_nano_usd, 0),
    (cost_nano_usd IS NULL)::int, usage_estimated::int
  FROM attempts WHERE finished_at IS NOT NULL
) AS rows
GROUP BY tenant, sluice_hour(called_at), user_id, feature, model, prompt_name, prompt_version, synthetic;

INSERT INTO usage_hours
SELECT tenant, hour, feature, model, prompt_name, prompt_version, synthetic, sum(calls), sum(failed_calls),
  sum(memory_hits), sum(shared_hits), sum(joined_calls), sum(replayed_calls), sum(saved_nano_usd), sum(unpriced_hits),
  '{}', sum(attempts), sum(prompt_tokens), sum(cached_prompt_tokens), sum(completion_tokens), sum(reasoning_tokens),
  sum(cost_nano_usd), sum(unpriced_attempts), sum(estimated_attempts)
FROM usage_user_hours
GROUP BY tenant, hour, feature, model, prompt_name, prompt_version, synthetic;

UPDATE usage_hours SET latency = sluice_merge_histogram(elements)
FROM (
  SELECT tenant, hour, feature, model, prompt_name, prompt_version, synthetic, array_agg(element) AS elements
  FROM usage_user_hours, unnest(latency) AS element
  GROUP BY tenant, hour, feature, model, prompt_name, prompt_version, synthetic
) AS users
WHERE users.tenant = usage_hours.tenant AND users.hour = usage_hours.hour AND users.feature = usage_hours.feature
  AND users.model = usage_hours.model AND users.prompt_name = usage_hours.prompt_name
  AND users.prompt_version = usage_hours.prompt_version AND users.synthetic = usage_hours.synthetic;

ALTER TABLE usage_user_hours
  ADD PRIMARY KEY (tenant, hour, user_id, feature, model, prompt_name, prompt_version, synthetic);
ALTER TABLE usage_hours ADD PRIMARY KEY (tenant, hour, feature, model, prompt_name, prompt_version, synthetic);
