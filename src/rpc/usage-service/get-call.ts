import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type GetCallRequest,
  GetCallRequestSchema,
  type GetCallResponseSchema,
} from "../../../gen/sluice/v1/usage_service_pb.ts";
import type { Call } from "../../core/call.ts";
import { SluiceError } from "../../core/failure.ts";
import { checkMessage } from "../../pipeline/validate.ts";
import { recordMessage } from "./messages.ts";
import { backlogMessage, type UsageQueryPorts } from "./ports.ts";
import { readTenant } from "./scope.ts";

/** UsageService.GetCall. A call of another tenant is as unknown as one that never was. */
export async function getCall(
  ports: UsageQueryPorts,
  { caller }: Call,
  request: GetCallRequest,
): Promise<MessageInitShape<typeof GetCallResponseSchema>> {
  checkMessage(GetCallRequestSchema, request);
  const tenant = readTenant(caller, { tenant: request.tenant, allTenants: false }) ?? caller.tenant;
  const backlog = ports.backlog();
  const found = await ports.usage.getCall(tenant, request.callId);
  if (!found) throw new SluiceError({ reason: "UNKNOWN_CALL", name: request.callId, nearest: [] });
  return { call: recordMessage(found), backlog: backlogMessage(backlog) };
}
