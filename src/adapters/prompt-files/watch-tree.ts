import { type FSWatcher, watch } from "node:fs";
import { errorCode } from "../../core/error-code.ts";
import type { Log } from "../../core/log.ts";

/** Editors and deployments write several files in a row; one look after they have settled is enough. */
const SETTLE_MS = 100;
/** Watching misses what happens behind a mount or after the folder itself was replaced, so we look now and then too. */
const LOOK_WHILE_WATCHING_MS = 10_000;
/** Where the file system cannot be watched at all. */
const LOOK_WITHOUT_WATCHING_MS = 1_000;

export interface TreeWatch {
  close(): void;
}

/** Calls `onChange` soon after something below `dir` may have changed; also when nothing has. Keeps no process alive. */
export function watchTree(dir: string, log: Log, onChange: () => void): TreeWatch {
  let settling: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const lookEvery = (intervalMs: number) => {
    clearInterval(looking);
    looking = setInterval(onChange, intervalMs).unref();
  };
  const giveUpWatching = (error: unknown) => {
    watcher?.close();
    watcher = undefined;
    const code = errorCode(error);
    const why = code === "unknown" ? { error } : { code };
    log.warn("prompt_watch_unavailable", { dir, look_every_ms: LOOK_WITHOUT_WATCHING_MS, ...why });
    lookEvery(LOOK_WITHOUT_WATCHING_MS);
  };
  lookEvery(LOOK_WHILE_WATCHING_MS);
  try {
    watcher = watch(dir, { recursive: true, persistent: false }, () => {
      clearTimeout(settling);
      settling = setTimeout(onChange, SETTLE_MS).unref();
    });
    watcher.on("error", giveUpWatching);
  } catch (error) {
    giveUpWatching(error);
  }
  return {
    close() {
      clearTimeout(settling);
      clearInterval(looking);
      watcher?.close();
    },
  };
}
