import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import type { LogFields } from "../../src/core/log.ts";

/**
 * The service as `sluice serve` runs it, in a process of its own, except that the time of day is what its parent says:
 * a week cannot be waited for. From there it goes on as time does. Argument: the configuration file.
 */
const [file = ""] = process.argv.slice(2);
let shiftMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => Date.now() + shiftMs };
const faults: string[] = [];
const note =
  (level: "warn" | "error") =>
  (event: string, fields: LogFields = {}) => {
    if (level === "error" && faults.length < 100) faults.push(`${event} ${fields.error ?? ""}`);
  };
const none = () => {};
const log = { isEnabled: () => false, debug: none, info: none, warn: note("warn"), error: note("error") };

process.on("message", (message: { readonly nowMs?: number; readonly stop?: true }) => void answer(message));

async function answer({ nowMs, stop }: { readonly nowMs?: number; readonly stop?: true }): Promise<void> {
  if (nowMs !== undefined) {
    shiftMs = nowMs - Date.now();
    process.send?.({ nowMs });
  }
  if (stop) {
    await (await app).stop();
    process.send?.({ faults });
    process.disconnect();
  }
}

const app = startApp(loadConfig({ file, env: {} }), { log, clock });
process.send?.({ url: (await app).url });
