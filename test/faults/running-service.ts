import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeLine } from "../../src/adapters/spool/line.ts";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { LedgerRecord } from "../../src/core/ledger.ts";
import type { Log, LogFields } from "../../src/core/log.ts";
import { startServer } from "../support/running-server.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
}

/** The whole service, on a real socket. */
export interface RunningService {
  /** host:port. */
  readonly address: string;
  /** Of its own process, where it has one. */
  readonly pid: number | undefined;
  /** What it logged; empty for a service in its own process. */
  readonly log: readonly LogLine[];
  /** What it charged so far, in order; empty for a service in its own process. */
  ledger(): Promise<readonly LedgerRecord[]>;
  stop(): Promise<{ readonly clean: boolean }>;
}

/**
 * A database that is away: what is charged stays in the spool, where tests read it, and no test waits for the start of
 * a database that it does not need.
 */
const AWAY = "postgres://127.0.0.1:1/away";

/** What every test of faults asks of the service's surroundings. */
export function withoutStores(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { listen: "127.0.0.1:0", database_url: AWAY, drain_ms: 1_000, ...config };
}

/** Starts the service in this process, with a data folder of its own. `config` is what sluice.yaml would hold. */
export async function startService(
  config: Readonly<Record<string, unknown>>,
  options: { readonly clock?: Clock } = {},
): Promise<RunningService> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-faults-"));
  const data = join(folder, "data");
  const file = join(folder, "sluice.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ data_dir: data, ...withoutStores(config) }));
  const log: LogLine[] = [];
  try {
    const app = await startApp(loadConfig({ file, env: {} }), { log: logInto(log), ...options });
    return {
      address: new URL(app.url).host,
      pid: undefined,
      log,
      ledger: () => spooled(data),
      async stop() {
        const outcome = await app.stop();
        await rm(folder, { recursive: true, force: true });
        return outcome;
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Starts the service in a process of its own, for tests that look at its memory or its event loop. */
export async function startServiceProcess(
  config: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv = {},
): Promise<RunningService> {
  const { listen: _, ...rest } = withoutStores(config);
  const server = await startServer({ config: rest, env });
  const { address, pid, stop } = server;
  return { address, pid, log: [], ledger: async () => [], stop: async () => ({ clean: (await stop()) === 0 }) };
}

function logInto(lines: LogLine[]): Log {
  const write =
    (level: LogLine["level"]) =>
    (event: string, fields: LogFields = {}) => {
      lines.push({ level, event, fields });
    };
  return {
    isEnabled: (level) => level !== "debug",
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}

async function spooled(data: string): Promise<readonly LedgerRecord[]> {
  const spool = join(data, "spool");
  const entries = await readdir(spool, { recursive: true, withFileTypes: true });
  const records: LedgerRecord[] = [];
  for (const entry of entries.filter((found) => found.isFile()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const line of bytes.toString("latin1").split("\n")) {
      const decoded = decodeLine(Buffer.from(line, "latin1"));
      if ("value" in decoded && isRecord(decoded.value)) records.push(decoded.value);
    }
  }
  return records;
}

function isRecord(value: unknown): value is LedgerRecord {
  return typeof value === "object" && value !== null && "type" in value && "call_id" in value;
}
