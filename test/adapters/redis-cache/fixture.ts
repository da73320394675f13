import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { Redis } from "ioredis";
import { CompletionSchema } from "../../../gen/sluice/v1/completion_pb.ts";
import { createRedisCache, type RedisCacheOptions } from "../../../src/adapters/redis-cache.ts";
import type { CacheEntry, CacheTags, SharedLook } from "../../../src/core/cache.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { Log, LogFields } from "../../../src/core/log.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";
import type { Tiers } from "../../support/tiers.ts";

export const MINUTE_MS = 60_000;

export type RedisCache = ReturnType<typeof createRedisCache>;

/** A key as callers make them. */
export function keyOf(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

export function entryOf(text: string, tags: Partial<CacheTags> = {}): CacheEntry {
  return {
    completion: create(CompletionSchema, { text, model: "fast" }),
    tags: { tenant: "acme", promptName: "", promptVersion: "", models: ["fast"], ...tags },
  };
}

/** The text of a hit, else what it was instead. */
export function textOf(look: SharedLook | undefined): string | undefined {
  return look?.kind === "hit" ? look.entry.completion.text : look?.kind;
}

export async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`it did not come true within ${limitMs} ms`);
}

/** Caches, servers and connections that go away with the test. To be called in the suite that uses it. */
export function cacheFixture() {
  const events: { event: string; fields: LogFields | undefined }[] = [];
  const note = (event: string, fields?: LogFields) => void events.push({ event, fields });
  const log: Log = { isEnabled: () => true, debug() {}, info: note, warn: note, error: note };
  const cleanUps: (() => unknown)[] = [];

  beforeEach(() => void events.splice(0));
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  const logged = (event: string) => events.filter((line) => line.event === event).length;

  function cacheOf(url: string, options: Partial<RedisCacheOptions> = {}): RedisCache {
    const cache = createRedisCache({ url, timeoutMs: 500, log, clock: systemClock, ...options });
    cleanUps.push(() => cache.close());
    return cache;
  }

  return {
    /** Events at info and above, in their order. */
    events: () => events.map(({ event }) => event),
    fieldsOf: (event: string) => events.filter((line) => line.event === event).map(({ fields }) => fields),
    logged,
    cacheOf,
    /** One that is connected. */
    async ready(url: string, options?: Partial<RedisCacheOptions>): Promise<RedisCache> {
      const cache = cacheOf(url, options);
      await until(() => !cache.stats().isAway);
      return cache;
    },
    admin(url: string): Redis {
      const admin = new Redis(url);
      cleanUps.push(() => admin.disconnect());
      return admin;
    },
    async server(redis: Tiers["redis"], port?: number) {
      const server = await redis.start(port);
      cleanUps.push(() => server.stop());
      return server;
    },
    async proxy(port: number) {
      const proxy = await startTcpProxy(port);
      cleanUps.push(() => proxy.close());
      return Object.assign(proxy, { url: `redis://127.0.0.1:${proxy.port}` });
    },
    cleanUp: (cleanUp: () => unknown) => void cleanUps.push(cleanUp),
  };
}
