import { type LedgerStore, RefusedRecordsError } from "../../../src/adapters/spool/ledger-store.ts";
import type { SpooledRecord } from "../../../src/adapters/spool/record.ts";

/** A store that can be away, and that refuses records of the feature "poison". */
export class MemoryStore implements LedgerStore {
  isAway = false;
  /** Everything that was written, repetitions included. */
  readonly written: SpooledRecord[] = [];
  writes = 0;

  async write(records: readonly SpooledRecord[]): Promise<void> {
    this.writes += 1;
    if (this.isAway) throw new Error("connection refused");
    if (records.some((record) => "feature" in record && record.feature === "poison")) {
      throw new RefusedRecordsError("unsupported Unicode escape sequence");
    }
    this.written.push(...records);
  }

  async close(): Promise<void> {}

  /** `type call_id/attempt` of what was written, without repetitions, in order. */
  keys(): string[] {
    const keys = this.written.map((record) => {
      const attempt = "attempt" in record ? `/${record.attempt}` : "";
      return `${record.type} ${record.call_id}${attempt}`;
    });
    return [...new Set(keys)];
  }
}
