import { lockDataDir } from "./adapters/data-dir-lock.ts";
import { openBudgets } from "./app/budgets.ts";
import { openCache } from "./app/cache.ts";
import { openDatabase } from "./app/database.ts";
import { openIdempotency } from "./app/idempotency.ts";
import { inputHashKey } from "./app/input-hash-key.ts";
import { openLedger } from "./app/ledger.ts";
import { openModels } from "./app/models.ts";
import { openPrompts } from "./app/prompts.ts";
import { openRetrieval } from "./app/retrieval.ts";
import { putSampleCorpus } from "./app/sample-corpus.ts";
import { listen } from "./app/server.ts";
import { openUsage } from "./app/usage.ts";
import { packageVersion } from "./config/package-dir.ts";
import type { Config } from "./config.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import type { Log } from "./core/log.ts";
import { ActiveCalls } from "./pipeline/active-calls.ts";
import { answerRoom } from "./pipeline/answer-room.ts";
import { createCacheAdmin } from "./pipeline/cache-admin.ts";
import type { RetryPolicy } from "./pipeline/call-model/next-step.ts";
import { RefusedModes } from "./pipeline/call-model/refused-modes.ts";
import { Flights } from "./pipeline/flight.ts";
import { ModelGates } from "./pipeline/model-gates.ts";
import { createPipeline } from "./pipeline/pipeline.ts";
import { warmValidation } from "./pipeline/validate.ts";

/** How long the end of the service waits for the rows of calls that were cut off. */
const ROWS_TIMEOUT_MS = 2_000;

/** How often our own faults are looked at for health: a service that cannot record paid calls must not be sent any. */
const FAULTS_INTERVAL_MS = 1_000;

/** A running service. */
export interface App {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Takes no more calls, lets those in flight finish within `drain_ms`, writes what is left to the ledger, and gives
   * everything free. `clean` is false where calls had to be cut off.
   */
  stop(): Promise<{ readonly clean: boolean }>;
}

/**
 * Starts the service: the only place where adapters, stages and services meet. Nothing that may be away (a provider, a
 * database, Redis) is waited for.
 * @throws DataDirLockedError, PromptFilesError, or the error of a socket, file or folder that cannot be used.
 */
export async function startApp(
  config: Config,
  { log, clock = systemClock }: { log: Log; clock?: Clock },
): Promise<App> {
  // What is opened is closed in the opposite order: here when the start fails, in `stop` when it does not.
  await using opening = new AsyncDisposableStack();
  const shared = { log, clock };
  const dataDir = await lockDataDir(config.data_dir);
  opening.defer(() => dataDir.release());

  const prompts = await openPrompts(config, log, opening);
  const models = openModels(config, shared, opening);
  const database = openDatabase(config, shared, opening);
  const ledger = await openLedger(config, database, shared, opening);
  const idempotency = openIdempotency(database, shared, opening);
  const budgets = openBudgets(config, database, shared, opening);
  const ports = { ...shared, ...models, ...prompts, ledger, idempotency, budgets };
  const flights = new Flights(answerRoom);
  const cache = openCache(config, flights, shared, opening);
  const gates = new ModelGates(shared);
  const retry = retryPolicy(config);
  const retrieval = openRetrieval(config, database, { ...ports, gates, retry }, opening);
  const activeCalls = new ActiveCalls();
  // After the server, before the ledger: calls that were cut off still have their rows to write.
  opening.defer(() => activeCalls.idle(ROWS_TIMEOUT_MS));
  const pipeline = createPipeline({
    ...ports,
    ...retrieval,
    cache,
    flights,
    activeCalls,
    gates,
    refusedModes: new RefusedModes(clock),
    inputHashKey: await inputHashKey(config.data_dir),
    retry,
  });

  warmValidation();
  const server = await listen(config, {
    ...ports,
    pipeline,
    ...openUsage(database, ledger, ports),
    ...retrieval,
    states: gates,
    cache: createCacheAdmin({ cache, flights }),
    version: packageVersion(),
    startedAtMs: clock.nowMs(),
  });
  opening.defer(() => server.close());
  const closing = new AbortController();
  opening.defer(() => closing.abort(new Error("the service stops")));
  if (config.sample_corpus && config.auth.api_keys.length === 0) {
    void putSampleCorpus({ pipeline, ...retrieval }, shared, closing.signal);
  }
  const faults = setInterval(() => server.setFault("ledger_spool", ledger.status().isRefusing), FAULTS_INTERVAL_MS);
  opening.defer(() => clearInterval(faults));
  const opened = opening.move();
  return {
    url: server.url,
    async stop() {
      const outcome = await server.drain(config.drain_ms);
      await opened.disposeAsync();
      return outcome;
    },
  };
}

function retryPolicy({ retry }: Config): RetryPolicy {
  return {
    maxAttempts: retry.max_attempts,
    maxCorrections: retry.max_corrections,
    backoffBaseMs: retry.backoff_base_ms,
    backoffMaxMs: retry.backoff_max_ms,
    maxWaitMs: retry.max_wait_ms,
  };
}
