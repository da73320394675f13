import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { tier } from "../../support/tiers.ts";
import { cacheFixture, entryOf, keyOf, MINUTE_MS, type RedisCache, textOf, until } from "./fixture.ts";

const entry = entryOf("an answer");
const LEASE_MS = 300;

describe("Redis cache: leases", () => {
  const fixture = cacheFixture();

  tier("redis", (redis) => {
    const leaseName = (name: string) => `sluice:{${keyOf(name)}}:lease`;

    async function leaseOf(cache: RedisCache, name: string) {
      const claim = await cache.claim(keyOf(name));
      assert.ok(claim.kind === "lease", claim.kind);
      return claim;
    }

    it("go to one of all that claim, and to the next once released", async () => {
      const url = await redis.url();
      const caches = await Promise.all([fixture.ready(url), fixture.ready(url)]);
      const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => caches[i % 2]?.claim(keyOf("one"))));
      const won = claims.filter((claim) => claim?.kind === "lease");
      assert.deepEqual([won.length, claims.filter((claim) => claim?.kind === "taken").length], [1, 49]);
      assert.equal(textOf(won[0]?.found), "miss");
      await won[0]?.lease.release();
      const next = await leaseOf(caches[1], "one");
      // A second release, and one of a lease that is somebody else's by now, do nothing.
      await won[0]?.lease.release();
      assert.equal((await caches[0].claim(keyOf("one"))).kind, "taken");
      await next.lease.release();
      assert.equal(await fixture.admin(url).exists(leaseName("one")), 0);
    });

    it("come with an answer that was stored meanwhile", async () => {
      const cache = await fixture.ready(await redis.url());
      await cache.set(keyOf("stored"), entry, MINUTE_MS);
      const { lease, found } = await leaseOf(cache, "stored");
      assert.equal(textOf(found), "an answer");
      await lease.release();
    });

    it("are claimed even where a foreign value is stored", async () => {
      const url = await redis.url();
      const cache = await fixture.ready(url);
      await fixture.admin(url).lpush(`sluice:{${keyOf("list")}}`, "a");
      const { lease, found } = await leaseOf(cache, "list");
      assert.equal(textOf(found), "miss");
      await lease.release();
    });

    it("are renewed while they are held, thousands of them, and not afterwards", async () => {
      const url = await redis.url();
      const admin = fixture.admin(url);
      const cache = await fixture.ready(url, { timeoutMs: 5_000, leaseMs: 1_500 });
      const names = Array.from({ length: 3_000 }, (_, i) => `held-${i}`);
      const leases = [];
      for (let at = 0; at < names.length; at += 500) {
        leases.push(...(await Promise.all(names.slice(at, at + 500).map((name) => leaseOf(cache, name)))));
      }
      await sleep(3_000);
      assert.equal(await admin.exists(names.map(leaseName)), names.length);
      for (let at = 0; at < leases.length; at += 500) {
        await Promise.all(leases.slice(at, at + 500).map(({ lease }) => lease.release()));
      }
      assert.equal(await admin.exists(names.map(leaseName)), 0);
      await admin.config("RESETSTAT");
      await sleep(1_000);
      assert.ok(!(await admin.info("commandstats")).includes("cmdstat_eval:"), "nothing is renewed any more");
      assert.equal(fixture.logged("cache_lease_lost"), 0);
    }).timeout(30_000);

    it("are watched: how long they are good, then what is stored", async () => {
      const url = await redis.url();
      const [holder, follower] = [await fixture.ready(url), await fixture.ready(url)];
      const { lease } = await leaseOf(holder, "watched");
      const running = await follower.watch(keyOf("watched"));
      assert.ok(running && running.leaseMs > 0 && running.leaseMs <= 3_000);
      assert.equal(textOf(running.found), "miss");
      await holder.set(keyOf("watched"), entry, MINUTE_MS);
      await lease.release();
      const done = await follower.watch(keyOf("watched"));
      assert.deepEqual([done?.leaseMs, textOf(done?.found)], [0, "an answer"]);
    });

    it("end when their holder is gone", async () => {
      const url = await redis.url();
      const admin = fixture.admin(url);
      const follower = await fixture.ready(url, { leaseMs: LEASE_MS });
      await admin.set(leaseName("dead"), "of a process that died", "PX", LEASE_MS);
      assert.equal((await follower.claim(keyOf("dead"))).kind, "taken");
      await until(async () => (await follower.watch(keyOf("dead")))?.leaseMs === 0);
      await (await leaseOf(follower, "dead")).lease.release();
    });

    it("without an end, or with one that no process gives, get one", async () => {
      const url = await redis.url();
      const admin = fixture.admin(url);
      const follower = await fixture.ready(url, { leaseMs: LEASE_MS });
      await admin.set(leaseName("endless"), "from somewhere");
      await admin.set(leaseName("far"), "from somewhere", "PX", 3_600_000);
      for (const name of ["endless", "far"]) {
        assert.equal((await follower.watch(keyOf(name)))?.leaseMs, LEASE_MS);
        await until(async () => (await follower.watch(keyOf(name)))?.leaseMs === 0);
      }
    });

    it("that are somebody else's are lost, which is said once, and leave the other's alone", async () => {
      const url = await redis.url();
      const admin = fixture.admin(url);
      const cache = await fixture.ready(url, { leaseMs: LEASE_MS });
      const leases = [await leaseOf(cache, "taken-1"), await leaseOf(cache, "taken-2")];
      const names = [leaseName("taken-1"), leaseName("taken-2")];
      await admin.mset(Object.fromEntries(names.map((name) => [name, "another"])));
      await until(() => fixture.logged("cache_lease_lost") > 0);
      await sleep(LEASE_MS);
      const lost = fixture.fieldsOf("cache_lease_lost").map((fields) => Number(fields?.leases));
      assert.equal(
        lost.reduce((sum, leases) => sum + leases, 0),
        2,
      );
      await Promise.all(leases.map(({ lease }) => lease.release()));
      assert.deepEqual(await admin.mget(names), ["another", "another"]);
      assert.equal(await admin.pttl(names[0] ?? ""), -1, "nothing is renewed");
      await admin.del(names);
    });

    it("that a restarted Redis lost are taken back, and released as ever", async () => {
      const server = await fixture.server(redis);
      const [holder, follower] = [await fixture.ready(server.url), await fixture.ready(server.url)];
      const { lease } = await leaseOf(holder, "kept");
      await server.stop("SIGKILL");
      const admin = fixture.admin((await fixture.server(redis, server.port)).url);
      await until(async () => (await admin.exists(leaseName("kept"))) === 1);
      const ttlMs = await admin.pttl(leaseName("kept"));
      assert.ok(ttlMs > 0 && ttlMs <= 3_000, `${ttlMs}`);
      await until(() => !follower.stats().isAway);
      assert.equal((await follower.claim(keyOf("kept"))).kind, "taken");
      await lease.release();
      assert.equal(await admin.exists(leaseName("kept")), 0);
      assert.equal(fixture.logged("cache_lease_lost"), 0);
    });

    it("outlive a renewal that gets no answer in time", async () => {
      const server = await fixture.server(redis);
      const proxy = await fixture.proxy(server.port);
      const cache = await fixture.ready(proxy.url, { timeoutMs: 50, leaseMs: 1_500 });
      const { lease } = await leaseOf(cache, "slow");
      proxy.stall();
      await sleep(700);
      proxy.resume();
      await sleep(1_500);
      assert.equal(await fixture.admin(server.url).exists(leaseName("slow")), 1);
      assert.equal(fixture.logged("cache_lease_lost"), 0);
      await until(async () => {
        await lease.release();
        return true;
      });
    });

    it("are given back when the cache closes", async () => {
      const url = await redis.url();
      const cache = await fixture.ready(url);
      const { lease } = await leaseOf(cache, "closing");
      await cache.close();
      assert.equal(await fixture.admin(url).exists(leaseName("closing")), 0);
      await lease.release();
      assert.equal((await cache.claim(keyOf("closing"))).kind, "unknown");
      assert.equal(await cache.watch(keyOf("closing")), undefined);
    });

    it("are unknown where Redis cannot write: full, or a replica", async () => {
      const server = await fixture.server(redis);
      const admin = fixture.admin(server.url);
      const cache = await fixture.ready(server.url);
      const { lease } = await leaseOf(cache, "before");
      await admin.config("SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction");
      assert.equal((await cache.claim(keyOf("full"))).kind, "unknown");
      await admin.config("SET", "maxmemory", "0");
      await admin.replicaof("127.0.0.1", "1");
      assert.equal((await cache.claim(keyOf("replica"))).kind, "unknown");
      await lease.release();
    });
  });
});
