import assert from "node:assert/strict";
import type pg from "pg";

/** What the real `pg` may expect of the embedded database's connections. */
export function testConnections(pool: () => pg.Pool): void {
  it("gives each of many interleaved queries its own answer, failing ones among them", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        if (index % 5 === 0)
          return pool()
            .query("SELECT 1 / 0")
            .catch((error) => error.code);
        if (index % 5 === 1)
          return pool()
            .query("SELECT $1::int AS value", ["x"])
            .catch((error) => error.code);
        const text = `SELECT $1::int AS value, ${index % 3}`;
        const { rows } = await pool().query({ name: `statement-${index % 3}`, text, values: [index] });
        return rows[0].value;
      }),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 100 }, (_, index) => (index % 5 === 0 ? "22012" : index % 5 === 1 ? "22P02" : index)),
    );
  });

  it("carries large values both ways", async () => {
    const large = "é".repeat(2_000_000);
    const { rows } = await pool().query("SELECT $1::text AS value", [large]);
    assert.equal(rows[0].value, large);
  });

  it("rolls back and forgets what a broken-off connection left open", async () => {
    const client = await pool().connect();
    await client.query("BEGIN");
    await client.query("CREATE TABLE left_open (a int)");
    await client.query("SET statement_timeout = 12345");
    await client.query("SELECT pg_advisory_lock(1)");
    client.release(true);
    const { rows } = await pool().query(
      "SELECT to_regclass('left_open') AS table, current_setting('statement_timeout') AS setting, count(l.*)::int AS locks FROM pg_locks l WHERE l.locktype = 'advisory'",
    );
    assert.deepEqual(rows, [{ table: null, setting: "0", locks: 0 }]);
  });

  it("works on after a connection was broken off in the middle of a query", async () => {
    const client = await pool().connect();
    const query = assert.rejects(client.query("SELECT pg_sleep(0.2)"), /Connection terminated/);
    client.release(true);
    await query;
    assert.equal((await pool().query("SELECT 3 AS three")).rows[0].three, 3);
  });

  it("leaves the main thread free while a statement runs", async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 5);
    await pool().query("SELECT count(*) FROM generate_series(1, 3000000)");
    clearInterval(timer);
    assert.ok(turns > 5, `${turns} turns of the event loop`);
  });
}
