import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  GetCallRequestSchema,
  GetCallResponse,
  ListCallsRequestSchema,
  ListCallsResponse,
  SummarizeUsageRequestSchema,
  SummarizeUsageResponse,
} from "../../gen/sluice/v1/usage_service_pb.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Terminal } from "./terminal.ts";

/** What the usage commands need of a running server. Every method throws `ConnectionError` or `RemoteError`. */
export interface UsageClient {
  summarizeUsage(request: MessageInitShape<typeof SummarizeUsageRequestSchema>): Promise<SummarizeUsageResponse>;
  listCalls(request: MessageInitShape<typeof ListCallsRequestSchema>): Promise<ListCallsResponse>;
  getCall(request: MessageInitShape<typeof GetCallRequestSchema>): Promise<GetCallResponse>;
}

export type ConnectUsage = (options: ServerOptions, terminal: Terminal) => UsageClient;
