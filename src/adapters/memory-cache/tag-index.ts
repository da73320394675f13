import { type CacheFilter, type CacheTags, fitsFilter } from "../../core/cache.ts";

/** The entries with the same tags: they share one copy of them, and one mark purges all of them. */
export interface TagGroup {
  readonly tags: CacheTags;
  /** Keys of the entries that are still held, purged ones too. */
  readonly keys: Set<string>;
  /** What it takes, texts included. */
  readonly bytes: number;
  isPurged: boolean;
}

/** What a group takes beside its texts: objects, sets, slots of the index. Measured with one group in each tenant. */
const GROUP_OVERHEAD_BYTES = 768;

/**
 * Groups of entries by tags. Entries go one by one; what is purged is marked at once. A purge takes time by the number
 * of groups (of the tenant, where it names one), not of entries: some 50 ms where it marks 100,000 of them.
 */
export class TagIndex {
  /** By tenant, then by the other tags. */
  readonly #tenants = new Map<string, Map<string, TagGroup>>();
  #bytes = 0;

  /** What all groups with entries take, marked ones too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What one more entry with these tags would add. */
  bytesFor(tags: CacheTags): number {
    const id = idOf(tags);
    return this.#find(tags.tenant, id) ? 0 : groupBytes(tags, id);
  }

  add(tags: CacheTags, key: string): TagGroup {
    const id = idOf(tags);
    const group = this.#find(tags.tenant, id) ?? this.#begin(tags, id);
    group.keys.add(key);
    return group;
  }

  remove(group: TagGroup, key: string): void {
    group.keys.delete(key);
    if (group.keys.size > 0) return;
    this.#bytes -= group.bytes;
    this.#forget(group);
  }

  /** Marks the groups that fit. Entries that are added from now on with the same tags are not among them. */
  purge(filter: CacheFilter): { readonly groups: readonly TagGroup[]; readonly entries: number } {
    const purged: TagGroup[] = [];
    let entries = 0;
    const tenants = filter.tenant === undefined ? this.#tenants.keys() : [filter.tenant];
    for (const tenant of tenants) {
      for (const group of this.#tenants.get(tenant)?.values() ?? []) {
        if (group.isPurged || !fitsFilter(group.tags, filter)) continue;
        group.isPurged = true;
        purged.push(group);
        entries += group.keys.size;
      }
    }
    return { groups: purged, entries };
  }

  #begin(tags: CacheTags, id: string): TagGroup {
    // A copy, so that it holds nothing else of the request alive.
    const own = { ...tags, models: [...tags.models] };
    const group: TagGroup = { tags: own, keys: new Set(), bytes: groupBytes(tags, id), isPurged: false };
    const others = this.#tenants.get(tags.tenant);
    if (others) others.set(id, group);
    else this.#tenants.set(tags.tenant, new Map([[id, group]]));
    this.#bytes += group.bytes;
    return group;
  }

  #find(tenant: string, id: string): TagGroup | undefined {
    const group = this.#tenants.get(tenant)?.get(id);
    return group?.isPurged ? undefined : group;
  }

  #forget(group: TagGroup): void {
    const { tenant } = group.tags;
    const id = idOf(group.tags);
    const groups = this.#tenants.get(tenant);
    // A purged one may have been followed by another with the same tags.
    if (groups?.get(id) === group) groups.delete(id);
    if (groups?.size === 0) this.#tenants.delete(tenant);
  }
}

function idOf({ promptName, promptVersion, models }: CacheTags): string {
  return JSON.stringify([promptName, promptVersion, models]);
}

/** The texts are held twice: in the tags and in the id of the group. */
function groupBytes({ tenant }: CacheTags, id: string): number {
  return GROUP_OVERHEAD_BYTES + 4 * (tenant.length + id.length);
}
