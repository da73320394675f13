import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../core/log.ts";
import { contentHashOf } from "./load-prompt.ts";

/** Copies beyond these are given up, the oldest first. */
const MAX_COPIES = 2_000;

const COPY_FILE = /^([a-z0-9-]+)@(v\d+)@([0-9a-f]{64})\.prompt$/;

/** The bytes of a version that was served. */
export interface ServedSource {
  readonly name: string;
  readonly version: string;
  readonly contentHash: string;
  readonly bytes: Uint8Array;
}

/**
 * Remembers over restarts which text each prompt version was served with: one file for each, whose name says its hash.
 * Losing a copy costs the protection of that version, nothing else, so every failure here is logged and survived.
 */
export class ServedCopies {
  readonly #dir: string;
  readonly #log: Log;
  /** File names by `<name>/<version>`, oldest first. */
  readonly #files: Map<string, string>;
  #pending = new Map<string, ServedSource>();
  #writing: Promise<void> | undefined;

  private constructor(dir: string, log: Log, files: Map<string, string>) {
    this.#dir = dir;
    this.#log = log;
    this.#files = files;
  }

  static async open(dir: string, log: Log): Promise<ServedCopies> {
    const files = new Map<string, string>();
    try {
      await mkdir(dir, { recursive: true });
      for (const file of (await readdir(dir)).sort()) {
        const match = COPY_FILE.exec(file);
        if (match) files.set(`${match[1]}/${match[2]}`, file);
      }
    } catch (error) {
      log.warn("prompt_served_copies_unavailable", { dir, error });
    }
    return new ServedCopies(dir, log, files);
  }

  /** The hash of the text that a version was served with, if that is known. */
  hashOf(key: string): string | undefined {
    return COPY_FILE.exec(this.#files.get(key) ?? "")?.[3];
  }

  /** The text itself; nothing where it is gone or damaged. */
  async read(key: string): Promise<Uint8Array | undefined> {
    const file = this.#files.get(key);
    if (file === undefined) return undefined;
    try {
      const bytes = await readFile(join(this.#dir, file));
      if (contentHashOf(bytes) === this.hashOf(key)) return bytes;
      this.#log.warn("prompt_served_copy_damaged", { file });
    } catch (error) {
      this.#log.warn("prompt_served_copy_damaged", { file, error });
    }
    this.#files.delete(key);
    // It is of no use any more; where it cannot be deleted, the next start finds it damaged again.
    await unlink(join(this.#dir, file)).catch(() => undefined);
    return undefined;
  }

  /** Keeps a copy soon, after the call that served it. */
  keep(source: ServedSource): void {
    const key = keyOf(source);
    if (this.hashOf(key) === source.contentHash) return;
    this.#pending.set(key, source);
    this.#writing ??= this.#writePending().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Writes at once what is still to be written. */
  close(): void {
    for (const source of this.#pending.values()) {
      const path = join(this.#dir, fileNameOf(source));
      try {
        mkdirSync(this.#dir, { recursive: true });
        writeFileSync(`${path}.last`, source.bytes);
        renameSync(`${path}.last`, path);
      } catch (error) {
        this.#log.warn("prompt_served_copy_failed", { file: path, error });
      }
    }
    this.#pending.clear();
  }

  async #writePending(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (let next = first(this.#pending); next; next = first(this.#pending)) {
      const [key, source] = next;
      const file = fileNameOf(source);
      const path = join(this.#dir, file);
      try {
        // Renamed into place, so that a crash leaves a whole copy or none.
        await writeFile(`${path}.new`, source.bytes);
        await rename(`${path}.new`, path);
        await this.#dropOthers(key, file);
        this.#files.set(key, file);
      } catch (error) {
        this.#log.warn("prompt_served_copy_failed", { file: path, error });
      }
      this.#pending.delete(key);
    }
  }

  async #dropOthers(key: string, file: string): Promise<void> {
    const former = this.#files.get(key);
    if (former !== undefined && former !== file) await unlink(join(this.#dir, former));
    this.#files.delete(key);
    while (this.#files.size >= MAX_COPIES) {
      const oldest = first(this.#files);
      if (!oldest) return;
      this.#files.delete(oldest[0]);
      await unlink(join(this.#dir, oldest[1]));
    }
  }
}

function keyOf({ name, version }: ServedSource): string {
  return `${name}/${version}`;
}

function fileNameOf({ name, version, contentHash }: ServedSource): string {
  return `${name}@${version}@${contentHash}.prompt`;
}

function first<K, V>(map: ReadonlyMap<K, V>): readonly [K, V] | undefined {
  for (const entry of map) return entry;
  return undefined;
}
