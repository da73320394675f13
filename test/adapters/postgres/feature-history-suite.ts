import assert from "node:assert/strict";
import type pg from "pg";
import { createFeatureHistory } from "../../../src/adapters/postgres/feature-history.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import type { FeatureHistory } from "../../../src/core/estimate.ts";
import { silentLog } from "../../../src/core/log.ts";
import { migrationsDir } from "./ledger-store-suite.ts";

const DAY_MS = 86_400_000;
const toMs = Date.parse("2026-11-24T12:00:00Z");
const span = { feature: "support", prompt: "", fromMs: toMs - 30 * DAY_MS, toMs };

interface Call {
  readonly tenant?: string;
  readonly feature?: string;
  readonly prompt?: string;
  readonly cache?: string;
  readonly error?: string;
  readonly ageMs?: number;
  /** Prompt, cached prompt, completion and reasoning tokens of each attempt. */
  readonly attempts?: readonly (readonly [number, number, number, number])[];
}

/** What the ledger's tables say of past calls: known rows in, counts out. */
export function testFeatureHistory(poolOf: () => pg.Pool): void {
  let history: FeatureHistory;
  const measure = (filter: Partial<typeof span> = {}, tenant = "history") =>
    history.measure(tenant, { ...span, ...filter });

  before(async () => {
    history = createFeatureHistory(Promise.resolve(poolOf()));
    await migrate(poolOf(), migrationsDir, silentLog);
    await poolOf().query("DELETE FROM calls WHERE tenant LIKE 'history%'");
    await poolOf().query("DELETE FROM attempts WHERE tenant LIKE 'history%'");
    const calls: readonly Call[] = [
      { attempts: [[1000, 200, 100, 10]] },
      // A correction: both attempts are paid.
      {
        prompt: "triage",
        attempts: [
          [500, 0, 50, 0],
          [700, 500, 60, 5],
        ],
      },
      // The first attempt was refused and used nothing.
      {
        attempts: [
          [0, 0, 0, 0],
          [300, 0, 30, 0],
        ],
      },
      // It failed, but was paid.
      { error: "PARSE_FAILURE", attempts: [[100, 0, 10, 0]] },
      ...["memory_hit", "shared_hit", "joined", "replayed"].map((cache) => ({ cache })),
      // Never reached a model, and was not answered.
      { error: "INVALID_REQUEST", cache: "" },
      { error: "CACHE_MISS", cache: "" },
      // Of others, too old, or from the end of the span on.
      { tenant: "history-other", attempts: [[9, 9, 9, 9]] },
      { feature: "search", attempts: [[8000, 0, 800, 0]] },
      { ageMs: 30 * DAY_MS + 1, attempts: [[7, 7, 7, 7]] },
      { ageMs: 0, attempts: [[6, 6, 6, 6]] },
    ];
    for (const [index, call] of calls.entries()) await insert(poolOf(), `call-${index}`, call);
  });

  it("counts calls and the tokens of paid attempts of one feature", async () => {
    assert.deepEqual(await measure(), {
      freeCalls: 4n,
      payingCalls: 4n,
      attempts: 5n,
      promptTokens: 2600n,
      cachedPromptTokens: 700n,
      completionTokens: 250n,
      reasoningTokens: 15n,
    });
  });

  it("counts those of a prompt, with a feature and without", async () => {
    const triage = await measure({ prompt: "triage" });
    assert.deepEqual([triage?.payingCalls, triage?.attempts, triage?.completionTokens], [1n, 2n, 110n]);
    assert.deepEqual(await measure({ feature: "", prompt: "triage" }), triage);
  });

  it("has nothing to say of calls that were not there", async () => {
    assert.equal(await measure({ feature: "unheard-of" }), undefined);
    assert.equal(await measure({}, "nobody"), undefined);
    assert.equal(await measure({ feature: "support'; DROP TABLE calls; --" }), undefined);
  });

  it("begins with the span's first millisecond and ends before its last", async () => {
    const one = await measure({ fromMs: toMs, toMs: toMs + 1 });
    assert.deepEqual([one?.payingCalls, one?.promptTokens], [1n, 6n]);
    const old = await measure({ fromMs: toMs - 30 * DAY_MS - 1, toMs: toMs - 30 * DAY_MS });
    assert.deepEqual([old?.payingCalls, old?.promptTokens], [1n, 7n]);
  });
}

async function insert(pool: pg.Pool, id: string, call: Call): Promise<void> {
  const { tenant = "history", feature = "support", prompt = "", attempts = [], ageMs = 1000 } = call;
  const at = new Date(toMs - ageMs);
  await pool.query(
    `INSERT INTO calls (tenant, call_id, feature, user_id, method, prompt_name, prompt_version, model, answered_by,
       input_hash, cache_status, attempts, prompt_tokens, cached_prompt_tokens, completion_tokens, reasoning_tokens,
       usage_estimated, cost_nano_usd, saved_nano_usd, latency_ms, stage_ms, synthetic, error_reason, started_at,
       finished_at)
     VALUES ($1, $2, $3, '', 'Complete', $4, '', 'fast', 'fast', '', $5, $6, 0, 0, 0, 0, false, 0, 0, 1, '{}', false,
       $7, $8, $8)`,
    [tenant, id, feature, prompt, call.cache ?? "miss", attempts.length, call.error ?? "", at],
  );
  for (const [index, tokens] of attempts.entries()) {
    await pool.query(
      `INSERT INTO attempts (tenant, call_id, attempt, feature, user_id, started_at, prompt_tokens,
         cached_prompt_tokens, completion_tokens, reasoning_tokens, finished_at)
       VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $5)`,
      [tenant, id, index + 1, feature, at, ...tokens],
    );
  }
}
