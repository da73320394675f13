import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { AdminService } from "../../gen/sluice/v1/admin_service_pb.ts";
import type { GrpcCaller } from "../../test/support/grpc-caller.ts";

const LOOK_EVERY_MS = 250;

/** What was seen of a process in one phase. */
export interface Watched {
  readonly highestRssMb: number;
  /** Look-ups in Redis that came to nothing. */
  readonly unknown: number;
  /** Answers that were not stored in Redis. */
  readonly unstored: number;
}

/** Watches a process until the time is over. */
export async function watchFor(ms: number, pid: number | undefined, caller: GrpcCaller): Promise<Watched> {
  const before = await shared(caller);
  let highestRssMb = 0;
  for (const endMs = performance.now() + ms; performance.now() < endMs; ) {
    highestRssMb = Math.max(highestRssMb, rssMb(pid));
    await pause(Math.min(LOOK_EVERY_MS, Math.max(1, endMs - performance.now())));
  }
  const after = await shared(caller);
  return { highestRssMb, unknown: after.unknown - before.unknown, unstored: after.unstored - before.unstored };
}

async function shared(caller: GrpcCaller): Promise<{ unknown: number; unstored: number }> {
  const { cache } = await caller.unary(AdminService.method.getStatus, {});
  return { unknown: Number(cache?.shared?.unknown ?? 0), unstored: Number(cache?.shared?.unstored ?? 0) };
}

/** Memory that a process holds now, in MB; NaN where the system does not tell. */
function rssMb(pid: number | undefined): number {
  try {
    const kilobytes = /^VmRSS:\s*([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? Number.NaN) / 1024;
  } catch {
    return Number.NaN;
  }
}
