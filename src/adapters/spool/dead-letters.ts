import { mkdir, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { errorCode } from "../../core/error-code.ts";
import type { Log } from "../../core/log.ts";

/** Why something was set aside. */
export type DeadLetterReason = "torn" | "malformed" | "checksum" | "unknown_record" | "refused_by_store";

export interface DeadLetter {
  readonly reason: DeadLetterReason;
  /** The file and place it was read from, where it was read from a file. */
  readonly segment: string;
  readonly offset?: number;
  /** What the store said. */
  readonly detail?: string;
  /** The record, where it could be read, */
  readonly record?: unknown;
  /** else its bytes. */
  readonly bytes_base64?: string;
}

/**
 * Records that can never reach the store, kept for people in one file per process: `<spool>/dead-letter/<instance>.jsonl`,
 * one JSON object a line. The file counts towards the bound of the spool, since charges wait in it; it is for the
 * operator to look at and delete.
 */
export class DeadLetters {
  readonly #dir: string;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(spoolDir: string, instance: string, ports: { readonly clock: Clock; readonly log: Log }) {
    this.#dir = join(spoolDir, "dead-letter");
    this.#path = join(this.#dir, `${instance}.jsonl`);
    this.#clock = ports.clock;
    this.#log = ports.log;
  }

  /** Bytes of all dead-letter files, those of dead processes included. */
  async bytes(): Promise<number> {
    const names = await readdir(this.#dir).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    });
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(this.#dir, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Appends letters and syncs them. Resolves to the bytes that were added. */
  async add(letters: readonly DeadLetter[]): Promise<number> {
    if (letters.length === 0) return 0;
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const setAsideAt = new Date(this.#clock.nowMs()).toISOString();
    const text = letters.map((letter) => `${JSON.stringify({ set_aside_at: setAsideAt, ...letter })}\n`).join("");
    const file = await open(this.#path, "a", 0o600);
    try {
      await file.appendFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    for (const { reason, segment, offset, detail } of letters) {
      this.#log.error("ledger_record_set_aside", { reason, segment, offset, detail, file: this.#path });
    }
    return Buffer.byteLength(text);
  }
}
