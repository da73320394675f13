import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import type {
  PutDocumentsRequest,
  PutDocumentsResponse,
  ReembedCollectionRequest,
  ReembedCollectionResponse,
} from "../../gen/sluice/v1/corpus_service_pb.ts";
import type { Explanation } from "../../gen/sluice/v1/explanation_pb.ts";
import type {
  EmbedRequest,
  EmbedResponse,
  RetrieveRequest,
  RetrieveResponse,
  StreamCompleteResponse,
} from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "./call.ts";

/** What the services serve. Every method throws SluiceError for deliberate failures; anything else is a bug. */
export interface Pipeline {
  complete(call: Call, input: CompletionInput | undefined): Promise<Completion>;
  /** Yields Started, then deltas, then exactly one Finished, or throws. Returning early ends the call's share of the work. */
  stream(call: Call, input: CompletionInput | undefined): AsyncIterable<StreamCompleteResponse>;
  explain(call: Call, input: CompletionInput | undefined): Promise<Explanation>;
  embed(call: Call, request: EmbedRequest): Promise<EmbedResponse>;
  retrieve(call: Call, request: RetrieveRequest): Promise<RetrieveResponse>;
  putDocuments(call: Call, request: PutDocumentsRequest): Promise<PutDocumentsResponse>;
  /** The last event is `done`, or it throws. Returning early ends the work; what is embedded stays. */
  reembed(call: Call, request: ReembedCollectionRequest): AsyncIterable<ReembedCollectionResponse>;
}
