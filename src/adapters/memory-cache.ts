import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { LRUCache } from "lru-cache";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import type { CacheEntry, CacheFilter, CacheLayerStats, MemoryCache } from "../core/cache.ts";
import type { Clock } from "../core/clock.ts";
import { lifeMs } from "./cache-layers/life.ts";
import { createLookUpTimes } from "./cache-layers/look-up-times.ts";
import { createBuiltRequests } from "./memory-cache/built-requests.ts";
import { type TagGroup, TagIndex } from "./memory-cache/tag-index.ts";

/** What an entry takes beside its bytes: the key, the objects around the buffer and the slots it fills, rounded up. */
const ENTRY_OVERHEAD_BYTES = 640;

/** Of less, the part of one completion would hold little more than its overhead. */
const MIN_BYTES = 65_536;

/** One completion may take at most this part of the cache, so that a few large ones do not push out everything else. */
const LARGEST_SHARE = 1 / 16;

/** What is known of built requests takes this part. */
const REQUESTS_SHARE = 1 / 16;

/** Purged entries that are let go in one step: a few milliseconds. The next step waits for its turn. */
const STEP_ENTRIES = 2_000;

interface Stored {
  readonly bytes: Uint8Array;
  readonly group: TagGroup;
  /** By the clock that only goes forward. */
  readonly expiresAtMs: number;
}

/**
 * The layer in this process, least recently used out first. Completions are kept as protobuf bytes: their size is
 * exact, and what a caller does to an answer never reaches the store.
 *
 * `maxBytes` bounds all that it holds, overhead included; at least 64 KiB. A sixteenth of it is for `requests`. A
 * completion larger than a sixteenth is not stored, nor does the one stay that it would have replaced; one with a TTL
 * below 1 ms is ignored. Entries live for 90 to 100 % of their TTL. One that expired stays, and is counted, until
 * somebody asks for its key or its room is needed.
 *
 * What is purged is never given again from that moment on; its memory is freed in steps right after.
 * @throws RangeError for a `maxBytes` that is no integer of at least 65,536.
 */
export function createMemoryCache({ maxBytes, clock }: { maxBytes: number; clock: Clock }): MemoryCache {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < MIN_BYTES) {
    throw new RangeError(`maxBytes must be an integer of at least ${MIN_BYTES}, got ${maxBytes}`);
  }
  return new LruMemoryCache(maxBytes, clock);
}

class LruMemoryCache implements MemoryCache {
  readonly requests: ReturnType<typeof createBuiltRequests>;
  readonly #clock: Clock;
  readonly #maxEntriesBytes: number;
  readonly #maxEntryBytes: number;
  readonly #entries: LRUCache<string, Stored>;
  readonly #groups = new TagIndex();
  readonly #times = createLookUpTimes();
  readonly #counts = { hits: 0, misses: 0, stores: 0, unstored: 0, evictions: 0 };
  /** Groups whose entries are to be let go, and how many entries those are. */
  readonly #purged: TagGroup[] = [];
  #purgedEntries = 0;

  constructor(maxBytes: number, clock: Clock) {
    const requestsBytes = Math.floor(maxBytes * REQUESTS_SHARE);
    this.#clock = clock;
    this.#maxEntriesBytes = maxBytes - requestsBytes;
    this.#maxEntryBytes = Math.floor(maxBytes * LARGEST_SHARE);
    this.requests = createBuiltRequests(requestsBytes);
    this.#entries = new LRUCache<string, Stored>({
      maxSize: this.#maxEntriesBytes,
      dispose: (stored, key, reason) => this.#dropped(stored, key, reason === "evict"),
    });
  }

  async get(key: string): Promise<CacheEntry | undefined> {
    const beganMs = this.#clock.monotonicMs();
    const stored = this.#entries.get(key);
    const entry = stored && isGood(stored, beganMs) ? opened(stored) : undefined;
    if (entry) this.#counts.hits++;
    else {
      this.#counts.misses++;
      if (stored) this.#entries.delete(key);
    }
    this.#times.record(this.#clock.monotonicMs() - beganMs);
    return entry;
  }

  has(key: string): boolean {
    const stored = this.#entries.peek(key);
    return stored !== undefined && isGood(stored, this.#clock.monotonicMs());
  }

  async set(key: string, { completion, tags }: CacheEntry, ttlMs: number): Promise<void> {
    if (!(ttlMs >= 1)) return;
    this.#entries.delete(key);
    const bytes = toBinary(CompletionSchema, completion);
    const size = bytes.byteLength + ENTRY_OVERHEAD_BYTES;
    const tagBytes = this.#groups.bytesFor(tags);
    if (size + tagBytes > this.#maxEntryBytes) {
      this.#counts.unstored++;
      return;
    }
    const expiresAtMs = this.#clock.monotonicMs() + lifeMs(ttlMs, this.#clock);
    // Before it is stored: making room may drop the last of the others with these tags.
    const group = this.#groups.add(tags, key);
    this.#entries.set(key, { bytes, group, expiresAtMs }, { size });
    while (this.#entries.calculatedSize + this.#groups.bytes > this.#maxEntriesBytes) this.#entries.pop();
    this.#counts.stores++;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  purge(filter: CacheFilter): number {
    const isWaiting = this.#purged.length > 0;
    const { groups, entries } = this.#groups.purge(filter);
    this.#purgedEntries += entries;
    for (const group of groups) this.#purged.push(group);
    // They have no tags, and say nothing but which chunks did not fit.
    if (Object.values(filter).every((value) => value === undefined)) this.requests.clear();
    if (!isWaiting) this.#letGo();
    return entries;
  }

  stats(): CacheLayerStats {
    return {
      ...this.#counts,
      unknown: 0,
      entries: this.#entries.size - this.#purgedEntries,
      bytes: this.#entries.calculatedSize + this.#groups.bytes + this.requests.bytes(),
      lookUpMs: this.#times.stats(),
    };
  }

  #dropped(stored: Stored, key: string, madeRoom: boolean): void {
    this.#groups.remove(stored.group, key);
    if (stored.group.isPurged) this.#purgedEntries--;
    else if (madeRoom && isGood(stored, this.#clock.monotonicMs())) this.#counts.evictions++;
  }

  #letGo(): void {
    let left = STEP_ENTRIES;
    for (let group = this.#purged.at(-1); group; group = this.#purged.at(-1)) {
      for (const key of group.keys) {
        if (left-- === 0) {
          setImmediate(() => this.#letGo());
          return;
        }
        this.#entries.delete(key);
      }
      this.#purged.pop();
    }
  }
}

function isGood({ group, expiresAtMs }: Stored, nowMs: number): boolean {
  return !group.isPurged && nowMs <= expiresAtMs;
}

function opened({ bytes, group }: Stored): CacheEntry {
  return { completion: fromBinary(CompletionSchema, bytes), tags: group.tags };
}

/** `memory_mb: 0`: holds nothing, and every look-up is a miss. */
export function noMemoryCache(): MemoryCache {
  let misses = 0;
  return {
    async get() {
      misses++;
      return undefined;
    },
    has: () => false,
    async set() {},
    delete() {},
    purge: () => 0,
    requests: { get: () => undefined, set() {} },
    stats: () => ({
      ...{ hits: 0, misses, unknown: 0, stores: 0, unstored: 0, evictions: 0, entries: 0, bytes: 0 },
      lookUpMs: { p50: 0, p99: 0, max: 0 },
    }),
  };
}
