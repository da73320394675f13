import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import type { Explanation } from "../../gen/sluice/v1/explanation_pb.ts";
import type { StreamCompleteResponse } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "./call.ts";

/** What the services serve. Every method throws SluiceError for deliberate failures; anything else is a bug. */
export interface Pipeline {
  complete(call: Call, input: CompletionInput | undefined): Promise<Completion>;
  /** Yields Started, then deltas, then exactly one Finished, or throws. Returning early ends the call's share of the work. */
  stream(call: Call, input: CompletionInput | undefined): AsyncIterable<StreamCompleteResponse>;
  explain(call: Call, input: CompletionInput | undefined): Promise<Explanation>;
}
