import { fileURLToPath } from "node:url";

/** The SQL files of the ledger, usage and idempotent calls. */
export const MIGRATIONS_DIR = folder("migrations");
/** Those of collections, which need pgvector: a set of its own, so that a Postgres without it serves the rest. */
export const RETRIEVAL_MIGRATIONS_DIR = folder("migrations/retrieval");

function folder(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
