import { AdminService } from "../../gen/sluice/v1/admin_service_pb.ts";
import { GrpcCaller } from "../../test/support/grpc-caller.ts";
import type { Service } from "./service.ts";

/** Answers that went from memory to make room, over all processes. */
export async function evictions({ servers }: Service): Promise<number> {
  let sum = 0;
  for (const { address } of servers) {
    const caller = new GrpcCaller(address);
    try {
      const { cache } = await caller.unary(AdminService.method.getStatus, {});
      sum += Number(cache?.memory?.evictions ?? 0);
    } finally {
      caller.close();
    }
  }
  return sum;
}
