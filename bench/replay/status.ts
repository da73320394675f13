import { AdminService } from "../../gen/sluice/v1/admin_service_pb.ts";
import { GrpcCaller } from "../../test/support/grpc-caller.ts";
import type { Service } from "./service.ts";

/** What the caches of all processes counted, together. */
export interface CacheCounts {
  /** Answers that went from memory to make room. */
  readonly evictions: number;
  /** Look-ups in Redis without an answer in time. */
  readonly unknown: number;
}

export async function cacheCounts({ servers }: Service): Promise<CacheCounts> {
  const sum = { evictions: 0, unknown: 0 };
  for (const { address } of servers) {
    const caller = new GrpcCaller(address);
    try {
      const { cache } = await caller.unary(AdminService.method.getStatus, {});
      sum.evictions += Number(cache?.memory?.evictions ?? 0);
      sum.unknown += Number(cache?.shared?.unknown ?? 0);
    } finally {
      caller.close();
    }
  }
  return sum;
}
