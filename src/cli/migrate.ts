import { DataDirLockedError } from "../adapters/data-dir-lock.ts";
import { EmbeddedDatabaseError } from "../adapters/pglite/open.ts";
import { MigrationError } from "../adapters/postgres/migrate.ts";
import { loadConfig } from "../config.ts";
import { type Log, silentLog } from "../core/log.ts";
import { exitCode, type Terminal, UserError } from "./terminal.ts";

/** `sluice migrate`: brings the database to this program's schema, without a server. */
export async function migrate({ config: file }: { readonly config?: string }, terminal: Terminal): Promise<number> {
  const config = loadConfig({ ...(file === undefined ? {} : { file }), env: terminal.env });
  // Loaded here so that the other commands do not wait for the drivers.
  const { migrateDatabase } = await import("../app/migrate.ts");
  const applied = await migrateDatabase(config, tellingWhatIsApplied(terminal)).catch((error: unknown) => {
    throw isAnswer(error) ? error : new UserError(awayText(error), exitCode.retryLater, { cause: error });
  });
  if (applied === 0) terminal.stdout.write("The schema is this program's already.\n");
  return exitCode.ok;
}

/** Each as it is done: one over years of calls takes its time. */
function tellingWhatIsApplied({ stdout }: Terminal): Log {
  return {
    ...silentLog,
    info: (event, fields) => {
      if (event === "migration_applied") stdout.write(`applied ${String(fields?.name)}\n`);
    },
  };
}

/** What else comes of a database is that it is not there. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof MigrationError || error instanceof DataDirLockedError || error instanceof EmbeddedDatabaseError
  );
}

function awayText(error: unknown): string {
  // Of several addresses of one name, each was tried.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return `the database cannot be reached: ${first instanceof Error ? first.message : String(first)}`;
}
