import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { LedgerBacklogSchema } from "../../../gen/sluice/v1/usage_pb.ts";
import type { Clock } from "../../core/clock.ts";
import type { UsageBacklog, UsageStore } from "../../core/usage.ts";

export interface UsageQueryPorts {
  readonly usage: UsageStore;
  /** Asked before the store: what is stored meanwhile is counted, and was said to wait. */
  readonly backlog: () => UsageBacklog;
  readonly clock: Clock;
}

export function backlogMessage(backlog: UsageBacklog): MessageInitShape<typeof LedgerBacklogSchema> {
  const { pendingRecords, completeUntilMs } = backlog;
  return {
    pendingRecords: BigInt(pendingRecords),
    ...(completeUntilMs !== undefined && { completeUntil: timestampFromMs(completeUntilMs) }),
  };
}
