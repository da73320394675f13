import { createWinstonLog } from "../adapters/winston-log.ts";
import { loadConfig } from "../config.ts";
import { endOnUncaught, stopSignal } from "./process-events.ts";
import { exitCode, type Terminal } from "./terminal.ts";

export interface ServeOptions {
  readonly config?: string;
  readonly listen?: string;
}

/** `sluice serve`: runs until a signal ends it. */
export async function serve({ config: file, listen }: ServeOptions, { env }: Terminal): Promise<number> {
  const config = loadConfig({
    ...(file === undefined ? {} : { file }),
    ...(listen === undefined ? {} : { listen }),
    env,
  });
  // Loaded here so that the other commands do not wait for the whole server to load.
  const { startApp } = await import("../app.ts");
  const log = createWinstonLog({ level: config.log.level });
  endOnUncaught(log);
  const signalled = stopSignal();
  try {
    const app = await startApp(config, { log });
    log.info("listening", { url: app.url });
    if (config.auth.api_keys.length === 0) log.warn("open_access", { tenant: "local" });
    const signal = await signalled;
    log.info("stopping", { signal });
    const { clean } = await app.stop();
    log.info("stopped", { clean });
    return clean ? exitCode.ok : exitCode.failure;
  } finally {
    await log.flush();
  }
}
