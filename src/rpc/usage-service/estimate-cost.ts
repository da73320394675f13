import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EstimateCostRequest, EstimateCostResponseSchema } from "../../../gen/sluice/v1/usage_service_pb.ts";
import type { Call } from "../../core/call.ts";
import type { CostEstimator } from "../../core/estimate.ts";

/** UsageService.EstimateCost. */
export async function estimateCost(
  { estimator }: { readonly estimator: CostEstimator },
  call: Call,
  { input }: EstimateCostRequest,
): Promise<MessageInitShape<typeof EstimateCostResponseSchema>> {
  return { estimate: await estimator.estimate(call, input) };
}
