import type { SpooledRecord } from "../../src/adapters/spool/record.ts";
import { seeded } from "../../test/pipeline/parse/random.ts";

/** How traffic looks: spread evenly over its days, users by a law of few that call much. */
export interface Traffic {
  readonly calls: number;
  readonly days: number;
  readonly features: number;
  readonly users: number;
  readonly endMs: number;
  readonly seed?: number;
}

const TENANT = "acme";
const models = ["fast", "fast", "smart"] as const;
const hits = ["memory_hit", "shared_hit", "joined"] as const;

/** The records of every call in the order of time, as a process spools them: start, end, call. */
export function* records(traffic: Traffic): Generator<SpooledRecord[]> {
  const random = seeded(traffic.seed ?? 1);
  const startMs = traffic.endMs - traffic.days * 86_400_000;
  for (let index = 0; index < traffic.calls; index += 1) {
    const atMs = Math.floor(startMs + ((index + random()) / traffic.calls) * traffic.days * 86_400_000);
    yield call(traffic, atMs, random);
  }
}

function call({ features, users }: Traffic, atMs: number, random: () => number): SpooledRecord[] {
  const below = (size: number) => Math.floor(random() * size);
  const feature = `feature-${below(features)}`;
  const model = models[below(models.length)] ?? "fast";
  const shared = {
    call_id: idAt(atMs, random),
    tenant: TENANT,
    feature,
    user: `user-${Math.floor(users * random() ** 3)}`,
    method: "Complete",
    prompt_name: feature,
    prompt_version: "v1",
    model,
    key_id: "",
    synthetic: false,
    started_at: new Date(atMs).toISOString(),
  };
  const isHit = random() < 0.3;
  const tokens = { prompt_tokens: 200 + below(3000), completion_tokens: 20 + below(800), reasoning_tokens: 0 };
  const cost = String(tokens.prompt_tokens * 250 + tokens.completion_tokens * 2000);
  const latencyMs = isHit ? 1 + below(4) : Math.round(300 * (1 - random()) ** -0.6);
  const finished_at = new Date(atMs + latencyMs).toISOString();
  const used = { ...tokens, cached_prompt_tokens: 0, usage_estimated: false, latency_ms: latencyMs, finished_at };
  const finished: SpooledRecord = {
    ...shared,
    ...used,
    type: "call_finished",
    answered_by: model,
    input_hash: "ab".repeat(32),
    cache_status: isHit ? (hits[below(hits.length)] ?? "joined") : "miss",
    attempts: isHit ? 0 : 1,
    cost_nano_usd: isHit ? "0" : cost,
    saved_nano_usd: isHit ? cost : null,
    stage_ms: { validate: 0.2, build_context: 0.4, cache_lookup: 0.1, call_model: latencyMs },
    error_reason: !isHit && random() < 0.02 ? "MODEL_TIMEOUT" : "",
  };
  if (isHit) return [finished];
  const started: SpooledRecord = {
    ...shared,
    type: "attempt_started",
    attempt: 1,
    provider: "main",
    provider_model: model,
    cause: "first",
    wait_ms: 0,
    estimated_prompt_tokens: tokens.prompt_tokens,
    estimated_cost_nano_usd: cost,
  };
  const ended: SpooledRecord = {
    ...used,
    type: "attempt_finished",
    tenant: TENANT,
    call_id: shared.call_id,
    attempt: 1,
    cost_nano_usd: cost,
    price_version: "list 1",
    time_to_first_token_ms: Math.round(latencyMs / 3),
    http_status: 200,
    error_reason: finished.error_reason,
  };
  return [started, ended, finished];
}

/** A UUID of version 7. */
function idAt(atMs: number, random: () => number): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  const time = atMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(12)}`;
}

/** Gathers the records of calls in batches of the size that the drain stores. */
export function* batches(calls: Iterable<SpooledRecord[]>, size = 500): Generator<SpooledRecord[]> {
  let batch: SpooledRecord[] = [];
  for (const call of calls) {
    batch.push(...call);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
