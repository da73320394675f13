import type { SpooledRecord } from "./record.ts";

/** Where the ledger ends up. */
export interface LedgerStore {
  /**
   * Stores all records or none. Records that are stored already change nothing.
   * @throws RefusedRecordsError when at least one of them can never be stored; any other error means that the store is
   *   away, and the same records are tried again later.
   */
  write(records: readonly SpooledRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** The store refuses records for what is in them: trying again is pointless. */
export class RefusedRecordsError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "RefusedRecordsError";
  }
}

/**
 * Stores records in order. A batch that is refused is halved until the record that is to blame stands alone, and that
 * one goes to `setAside`; the others are stored.
 * @throws what the store throws when it is away. What was stored or set aside by then may be written again.
 */
export async function storeIsolating(
  store: LedgerStore,
  records: readonly SpooledRecord[],
  setAside: (record: SpooledRecord, refusal: RefusedRecordsError) => Promise<void>,
): Promise<void> {
  try {
    if (records.length > 0) await store.write(records);
  } catch (error) {
    if (!(error instanceof RefusedRecordsError)) throw error;
    const [only] = records;
    if (only && records.length === 1) return setAside(only, error);
    const middle = Math.ceil(records.length / 2);
    await storeIsolating(store, records.slice(0, middle), setAside);
    await storeIsolating(store, records.slice(middle), setAside);
  }
}
