import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type Child, startChild } from "../test/support/child.ts";
import { findProgram } from "../test/support/programs.ts";

const taskset = availableParallelism() > 1 ? findProgram("taskset") : undefined;

/** Starts a script of ours with Node, on one core alone where the machine allows: server and load must not compete. */
export function startPinned(core: number, args: string[]): Promise<Child> {
  if (taskset === undefined) return startChild(process.execPath, args);
  return startChild(taskset, ["--cpu-list", String(core), process.execPath, ...args]);
}

/** CPU time that a process has used so far in µs, all threads; NaN where the system does not tell. */
export function cpuMicros(pid: number | undefined): number {
  try {
    // Fields 14 and 15, counted after the name in parentheses, in ticks of 10 ms.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}
