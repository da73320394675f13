import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { AdoptedSpools } from "./adopted-spools.ts";
import { DeadLetters } from "./dead-letters.ts";
import { GroupCommit } from "./group-commit.ts";
import { adoptInstances, createInstance } from "./instance-folder.ts";
import { Room } from "./room.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { Spool } from "./spool.ts";

export interface SpoolOptions {
  /** The folder of all spools, such as `<data_dir>/spool`. Created if need be. */
  readonly dir: string;
  /** The bound of everything in it that this process answers for, at least 64 KiB. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Size at which a segment is sealed. Default 8 MiB, at most an eighth of `maxBytes`. */
  readonly segmentBytes?: number;
  /** Age in milliseconds at which a segment is sealed although it has room. Default 60,000. */
  readonly segmentAgeMs?: number;
  /**
   * How long written records may wait for fdatasync, in milliseconds. Default 100: a dead process loses nothing that
   * was acknowledged, a power cut at most this much. 0: synced before it is acknowledged.
   */
  readonly syncIntervalMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

const MIN_BYTES = 64 * 1024;
const DEFAULT_BYTES = 256 * 1024 * 1024;
const DEFAULT_SEGMENT_BYTES = 8 * 1024 * 1024;

/** Opens the spool of this process and takes over those of dead ones. @throws Error when the folder cannot be used. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const maxBytes = options.maxBytes ?? DEFAULT_BYTES;
  if (maxBytes < MIN_BYTES) throw new RangeError(`maxBytes must be at least ${MIN_BYTES}, got ${maxBytes}`);
  const folder = await createInstance(options.dir, options.clock.nowMs());
  const deadLetters = new DeadLetters(options.dir, folder.name, options);
  const room = new Room(maxBytes, options.log);
  room.add(await deadLetters.bytes());
  const adopted = new AdoptedSpools({ clock: options.clock, log: options.log, room });
  for (const abandoned of await adoptInstances(options.dir)) await adopted.add(abandoned);
  const segments = new SegmentWriter(
    folder.dir,
    {
      segmentBytes: Math.min(options.segmentBytes ?? DEFAULT_SEGMENT_BYTES, Math.floor(maxBytes / 8)),
      segmentAgeMs: options.segmentAgeMs ?? 60_000,
    },
    options.clock,
  );
  const commit = new GroupCommit(segments, { ...options, syncIntervalMs: options.syncIntervalMs ?? 100 });
  return new Spool({ maxBytes, folder, adopted, deadLetters, room, segments, commit });
}
