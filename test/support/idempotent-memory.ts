import { SluiceError } from "../../src/core/failure.ts";
import type { IdempotencyKey, IdempotentCalls, IdempotentTurn, Outcome } from "../../src/core/idempotency.ts";

interface Row {
  readonly key: IdempotencyKey;
  outcome?: Outcome;
  /** Resolves when the turn is over. */
  readonly over: Promise<void>;
}

/** Calls by their keys without a store: for one process, and as long as it lives. */
export class IdempotentMemory implements IdempotentCalls {
  readonly rows = new Map<string, Row>();
  /** Whether the next turn is told to be taken over. */
  isTakenOver = false;
  /** Runs before an outcome is kept. */
  beforeKeep: () => Promise<void> = async () => {};

  async begin(key: IdempotencyKey, signal: AbortSignal): Promise<IdempotentTurn | Outcome> {
    for (;;) {
      signal.throwIfAborted();
      const id = `${key.tenant}/${key.key}`;
      const row = this.rows.get(id);
      if (!row) return this.#turn(id, key);
      if (row.key.requestHash !== key.requestHash) {
        const { callId: firstCallId } = row.key;
        throw new SluiceError({ reason: "IDEMPOTENCY_CONFLICT", key: key.key, firstCallId, firstStartedAtMs: 0 });
      }
      if (row.outcome) return row.outcome;
      await row.over;
    }
  }

  #turn(id: string, key: IdempotencyKey): IdempotentTurn {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const row: Row = { key, over };
    this.rows.set(id, row);
    const end = (outcome?: Outcome) => {
      if (row.outcome) return;
      row.outcome = outcome;
      if (!outcome) this.rows.delete(id);
      resolve();
    };
    return {
      kind: "turn",
      isTakenOver: this.isTakenOver,
      keep: async (outcome) => {
        await this.beforeKeep();
        end(outcome);
      },
      release: async () => end(),
    };
  }
}
