import { writeSync } from "node:fs";

/**
 * Prints a line for the process that watches this one. Written to the file descriptor itself, so that nothing waits in
 * a buffer of a process that is killed; a pipe that is full for the moment is written to again.
 */
export function acknowledge(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}
