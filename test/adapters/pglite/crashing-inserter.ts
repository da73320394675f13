/** A program that inserts numbered rows until it is killed, and prints each number once it is committed. */
import { openPglite } from "../../../src/adapters/pglite/open.ts";
import { silentLog } from "../../../src/core/log.ts";
import { acknowledge } from "../spool/acknowledge.ts";

const [dir = ""] = process.argv.slice(2);
const { pool } = await openPglite({ dir, log: silentLog });
await pool.query("CREATE TABLE IF NOT EXISTS numbers (id int PRIMARY KEY)");
for (;;) {
  const { rows } = await pool.query("INSERT INTO numbers SELECT coalesce(max(id), 0) + 1 FROM numbers RETURNING id");
  acknowledge(String(rows[0].id));
}
