import type { Log } from "../core/log.ts";
import { exitCode } from "./terminal.ts";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

export type StopSignal = (typeof SIGNALS)[number];

/**
 * Resolves with the first SIGTERM or SIGINT from now on. A second one ends the process at once, with 1, whatever it is
 * doing.
 */
export function stopSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    let seen = false;
    for (const name of SIGNALS) {
      // What ended the process while it was loading (see main.ts).
      process.removeAllListeners(name);
      process.on(name, () => {
        if (seen) process.exit(exitCode.failure);
        seen = true;
        resolve(name);
      });
    }
  });
}

/**
 * From now on an error that nobody caught is logged and ends the process with 1: it may be in any state then, and must
 * not answer further calls.
 */
export function endOnUncaught(log: Log & { flush(): Promise<void> }): void {
  const end = (event: string) => (error: unknown) => {
    log.error(event, { error });
    void log.flush().finally(() => process.exit(exitCode.failure));
  };
  process.once("uncaughtException", end("uncaught_exception"));
  process.once("unhandledRejection", end("unhandled_rejection"));
}
