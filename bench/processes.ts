import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { type Child, startChild } from "../test/support/child.ts";
import { findProgram } from "../test/support/programs.ts";

const taskset = availableParallelism() > 1 ? findProgram("taskset") : undefined;

/** Whether servers and loads get cores of their own. */
export const isPinned = taskset !== undefined;

/** The system's unit of CPU time. */
const TICK_MICROS = 10_000;

/** Starts a script of ours with Node, on one core alone where the machine allows: server and load must not compete. */
export function startPinned(core: number, args: string[]): Promise<Child> {
  if (taskset === undefined) return startChild(process.execPath, args);
  return startChild(taskset, ["--cpu-list", String(core), process.execPath, ...args]);
}

/** CPU time that a process has used so far in µs, all threads; NaN where the system does not tell. */
export function cpuMicros(pid: number | undefined): number {
  const [user = Number.NaN, system = Number.NaN] = cpuFields(pid);
  return (user + system) * TICK_MICROS;
}

/** The most memory that a process has held at once, in MB; NaN where the system does not tell. */
export function peakRssMb(pid: number | undefined): number {
  const kilobytes = /^VmHWM:\s*([0-9]+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? Number.NaN) / 1024;
}

/**
 * Begins to watch what else the machine does. The function returned tells its share of all cores since then, NaN where
 * the system does not tell; children of this process count as ours once they have ended.
 */
export function watchOthers(): () => number {
  const [startMs, busyBefore, oursBefore] = [performance.now(), busyMs(), oursMs()];
  return () => {
    const available = (performance.now() - startMs) * cpus().length;
    return Math.max(0, (busyMs() - busyBefore - (oursMs() - oursBefore)) / available);
  };
}

function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

function oursMs(): number {
  const [user = Number.NaN, ...others] = cpuFields(process.pid);
  return (others.reduce((sum, ticks) => sum + ticks, user) * TICK_MICROS) / 1000;
}

/** User and system time, then the same of children that have ended, in ticks; empty where the system does not tell. */
function cpuFields(pid: number | undefined): number[] {
  // Fields 14 to 17, counted after the name in parentheses (proc_pid_stat(5)).
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return fields.slice(11, 15).map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
