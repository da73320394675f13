import { Redis, type RedisOptions } from "ioredis";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";

/** A connection on which nothing arrives for this long while something is awaited is closed, with all that waits on it. */
const SOCKET_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 2_000;

/** A Redis that was the primary and is a replica now may have a successor under its name: look this often. */
const READ_ONLY_RECONNECT_MS = 30_000;

/** How long to wait after the n-th failure in a row (from 1): doubling, at most 2 s, half of it by chance. */
export function reconnectDelayMs(failures: number, clock: Clock): number {
  return Math.min(RECONNECT_MIN_MS * 2 ** Math.min(failures, 10), RECONNECT_MAX_MS) * (0.5 + clock.random() / 2);
}

/** What all connections have in common: nothing is queued while there is no connection, and nothing is sent twice. */
const common: RedisOptions = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
  socketTimeout: SOCKET_TIMEOUT_MS,
  // Redis says how long it will take to load its data, and is often wrong by much.
  maxLoadingRetryTime: 1_000,
};

/** The connection for what calls wait for. It connects in the background, and again whenever the connection is lost. */
export function connectForCommands(url: string, { log, clock }: { log: Log; clock: Clock }): Redis {
  let readOnlyAtMs = Number.NEGATIVE_INFINITY;
  const redis = new Redis(url, {
    ...common,
    enableAutoPipelining: true,
    connectionName: "sluice",
    retryStrategy: (failures) => reconnectDelayMs(failures, clock),
    reconnectOnError: ({ message }) => {
      if (!message.startsWith("READONLY") || clock.monotonicMs() - readOnlyAtMs < READ_ONLY_RECONNECT_MS) return false;
      readOnlyAtMs = clock.monotonicMs();
      return true;
    },
  });
  // Only changes are logged: while Redis is away, every try to connect is an error.
  let away = false;
  redis.on("ready", () => {
    away = false;
    log.info("redis_ready");
  });
  redis.on("error", (error: unknown) => {
    if (!away) log.warn("redis_unavailable", { error });
    away = true;
  });
  return redis;
}

/**
 * A connection that is used until it breaks or `use` is done. Errors are the connection's own where it has one, which
 * says more than the "Connection is closed" of the command that met it. Once `signal` fires, everything on it rejects.
 */
export async function withConnection<T>(
  { url, name, signal, socketTimeoutMs }: { url: string; name: string; signal: AbortSignal; socketTimeoutMs: number },
  use: (redis: Redis) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const redis = new Redis(url, {
    ...common,
    connectionName: name,
    lazyConnect: true,
    retryStrategy: null,
    socketTimeout: socketTimeoutMs,
  });
  let reason: unknown;
  redis.on("error", (error: unknown) => {
    reason ??= error;
  });
  const stop = () => endNow(redis);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await redis.connect();
    return await use(redis);
  } catch (error) {
    signal.throwIfAborted();
    throw reason ?? error;
  } finally {
    signal.removeEventListener("abort", stop);
    endNow(redis);
  }
}

/** Ends a connection for good. Just disconnected, it would wait for a server that is mute to end it too. */
export function endNow(redis: Redis): void {
  redis.disconnect();
  // There is no stream before the first connection.
  const stream: { destroy(): unknown } | undefined = redis.stream;
  stream?.destroy();
}
