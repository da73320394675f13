import assert from "node:assert/strict";
import { Redis } from "ioredis";
import pg from "pg";
import { tier } from "../support/tiers.ts";

tier("redis", (redis) => {
  describe("the Redis of the tests", () => {
    it("answers, and is the same one for everyone who shares it", async () => {
      const url = await redis.url();
      assert.equal(await redis.url(), url);
      const client = new Redis(url);
      assert.equal(await client.ping(), "PONG");
      await client.quit();
    });

    it("can be owned, and ended, by one test", async () => {
      const owned = await redis.start();
      assert.notEqual(owned.url, await redis.url());
      await owned.stop();
      await owned.stop();
    });
  });
});

tier("postgres", (postgres) => {
  describe("the Postgres of the tests", () => {
    it("has pgvector, and gives each suite an empty database of its own", async () => {
      const database = await postgres.createDatabase();
      const client = new pg.Client(database.url);
      await client.connect();
      await client.query("CREATE EXTENSION vector");
      const { rows } = await client.query("SELECT '[1,0]'::vector <=> '[0,1]'::vector AS distance");
      assert.deepEqual(rows, [{ distance: 1 }]);
      await client.end();
      await database.drop();
    });
  });
});
