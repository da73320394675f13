import { createIdempotentCalls } from "../adapters/postgres/idempotent-calls.ts";
import type { Clock } from "../core/clock.ts";
import type { IdempotentCalls } from "../core/idempotency.ts";
import type { Log } from "../core/log.ts";
import type { OpeningDatabase } from "./database.ts";

/** Calls with an idempotency key, in the database. */
export function openIdempotency(
  { pool }: OpeningDatabase,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): IdempotentCalls {
  const calls = createIdempotentCalls({ pool, ...ports });
  stack.defer(() => calls.close());
  return calls;
}
