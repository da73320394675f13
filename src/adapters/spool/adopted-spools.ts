import { rm } from "node:fs/promises";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { type InstanceFolder, listSegments } from "./instance-folder.ts";
import { recover } from "./recover.ts";
import type { Room } from "./room.ts";
import type { Segment } from "./segment-file.ts";

interface AdoptedSpool {
  readonly folder: InstanceFolder;
  /** Size of its files when it was taken over. */
  readonly bytes: number;
}

/** The spools of dead processes, drained one after the other. Their bytes count towards the bound. */
export class AdoptedSpools {
  readonly #ports: { readonly clock: Clock; readonly log: Log; readonly room: Room };
  #waiting: AdoptedSpool[] = [];
  /** Segments of the first of them, once it is recovered. */
  #segments: Segment[] | undefined;

  constructor(ports: { readonly clock: Clock; readonly log: Log; readonly room: Room }) {
    this.#ports = ports;
  }

  async add(folder: InstanceFolder): Promise<void> {
    const bytes = sumBytes(await listSegments(folder.dir));
    this.#ports.room.add(bytes);
    this.#waiting.push({ folder, bytes });
  }

  /** Records of the spool that is being drained; those of the others are not counted yet. */
  get records(): number {
    return (this.#segments ?? []).reduce((sum, segment) => sum + segment.records, 0);
  }

  get bytes(): number {
    return sumBytes(this.#segments ?? this.#waiting.slice(0, 1)) + sumBytes(this.#waiting.slice(1));
  }

  /** The oldest segment that is not stored yet. */
  async oldest(): Promise<Segment | undefined> {
    for (let spool = this.#waiting[0]; spool; spool = this.#waiting[0]) {
      this.#segments ??= await this.#recover(spool);
      const segment = this.#segments[0];
      if (segment) return segment;
      this.#waiting = this.#waiting.slice(1);
      this.#segments = undefined;
      await spool.folder.release();
    }
    return undefined;
  }

  /** Whether the segment is one of these. */
  holds(segment: Segment): boolean {
    return this.#segments?.[0] === segment;
  }

  async removeOldest(): Promise<void> {
    const segment = this.#segments?.[0];
    if (!segment) return;
    await rm(segment.path, { force: true });
    this.#segments = this.#segments?.slice(1);
    this.#ports.room.free(segment.bytes);
  }

  async close(): Promise<void> {
    for (const spool of this.#waiting) await spool.folder.release();
    this.#waiting = [];
  }

  async #recover(spool: AdoptedSpool): Promise<Segment[]> {
    try {
      const segments = await recover(spool.folder, this.#ports);
      this.#ports.room.add(sumBytes(segments) - spool.bytes);
      return segments;
    } catch (error) {
      // A folder that cannot be read must not hold up the others; it stays for the next start.
      this.#ports.log.error("ledger_spool_unreadable", { instance: spool.folder.name, error });
      return [];
    }
  }
}

function sumBytes(parts: readonly { readonly bytes: number }[]): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}
