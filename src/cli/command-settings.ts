import type { Terminal } from "./terminal.ts";

/** What every command is given. */
export interface CommandSettings {
  readonly terminal: Terminal;
  /** Makes an action of a function that returns an exit code. */
  readonly run: <Given extends unknown[]>(
    action: (...given: Given) => Promise<number> | number,
  ) => (...given: Given) => Promise<void>;
}
