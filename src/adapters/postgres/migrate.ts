import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import type { Log } from "../../core/log.ts";

/** The schema of the database and the program's migrations do not fit together. Nothing was changed. */
export class MigrationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "MigrationError";
  }
}

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** "sluice" as a number; the key of the advisory lock under which only one process migrates. */
const LOCK_KEY = 0x736c_7569;
/** Longest one migration may take, or wait for another process that migrates: an hour. */
const MIGRATION_TIMEOUT_MS = 3_600_000;
/**
 * SQLSTATE classes of errors that pass: connection, rolled back for another transaction, no resources, lock not to be
 * had, operator's intervention.
 */
const PASSING = /^(08|40|53|55|57)/;
const FILE_NAME = /^([0-9]{4})_[a-z0-9_]+\.sql$/;

/** Where it is written which migrations were applied; each set of them has a table of its own. */
export type MigrationsTable = "sluice_migrations" | "sluice_retrieval_migrations";

const createTable = (table: MigrationsTable) => `
CREATE TABLE IF NOT EXISTS ${table} (
  version integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`;

/**
 * Brings the database to the program's schema: files `NNNN_name.sql`, numbered from 1 without a gap, each applied once
 * in a transaction of its own, by one process at a time.
 * @param dir folder of the SQL files.
 * @returns how many were applied.
 * @throws MigrationError when an applied file has changed, the database is newer than the program, the files are not
 *   numbered properly, or a file fails (the earlier ones stay applied); the driver's error when the database is away.
 */
export async function migrate(
  pool: pg.Pool,
  dir: string,
  log: Log,
  table: MigrationsTable = "sluice_migrations",
): Promise<number> {
  const migrations = await readMigrations(dir);
  const client = await pool.connect();
  try {
    // Building an index over years of calls takes longer than any query may.
    await client.query(`SET statement_timeout = ${MIGRATION_TIMEOUT_MS}`);
    await client.query({ ...withTimeout("SELECT pg_advisory_lock($1)"), values: [LOCK_KEY] });
    await client.query(createTable(table));
    const applied = await checkApplied(client, migrations, table);
    for (const migration of migrations.slice(applied)) {
      await apply(client, migration, table);
      log.info("migration_applied", { version: migration.version, name: migration.name });
    }
    return migrations.length - applied;
  } finally {
    // Closing the connection ends what is open in it: the transaction of a failed migration, the lock, the setting.
    client.release(true);
  }
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith(".sql")).sort();
  if (names.length === 0) throw new MigrationError(`no migrations in ${dir}`);
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(FILE_NAME.exec(name)?.[1]);
      if (version !== index + 1) {
        throw new MigrationError(
          `migration ${name}: expected the name ${String(index + 1).padStart(4, "0")}_<name>.sql`,
        );
      }
      // A checkout with other line ends is the same migration.
      const sql = (await readFile(join(dir, name), "utf8")).replaceAll("\r\n", "\n");
      return { version, name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/** A query with a limit of its own instead of the pool's; the types of `pg` do not know that it can have one. */
function withTimeout(text: string): pg.QueryConfig & { query_timeout: number } {
  return { text, query_timeout: MIGRATION_TIMEOUT_MS };
}

/** How many of the migrations are applied. */
async function checkApplied(
  client: pg.PoolClient,
  migrations: readonly Migration[],
  table: MigrationsTable,
): Promise<number> {
  const { rows } = await client.query<{ version: number; name: string; checksum: string }>(
    `SELECT version, name, checksum FROM ${table} ORDER BY version`,
  );
  for (const [index, row] of rows.entries()) {
    const migration = migrations[index];
    if (!migration) {
      throw new MigrationError(
        `the database has the schema version ${rows.length} (${row.name}), this program knows ${migrations.length}: use a newer program`,
      );
    }
    if (row.version !== migration.version || row.checksum !== migration.checksum) {
      throw new MigrationError(`migration ${migration.name} is not what was applied to the database as ${row.name}`);
    }
  }
  return rows.length;
}

async function apply(client: pg.PoolClient, migration: Migration, table: MigrationsTable): Promise<void> {
  try {
    await client.query("BEGIN");
    await client.query(withTimeout(migration.sql));
    await client.query(`INSERT INTO ${table} (version, name, checksum) VALUES ($1, $2, $3)`, [
      migration.version,
      migration.name,
      migration.checksum,
    ]);
    await client.query("COMMIT");
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || PASSING.test(error.code ?? "")) throw error;
    throw new MigrationError(`migration ${migration.name} failed: ${error.message}`, { cause: error });
  }
}
