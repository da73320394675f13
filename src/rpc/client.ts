import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient as createServiceClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import {
  AdminService,
  type GetStatusResponse,
  type PurgeCacheRequestSchema,
  type PurgeCacheResponse,
} from "../../gen/sluice/v1/admin_service_pb.ts";
import type { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { type CostEstimate, CostEstimateSchema, type EstimateInputSchema } from "../../gen/sluice/v1/estimate_pb.ts";
import { type ListModelsResponse, ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import { PipelineService, type StreamCompleteResponse } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { PromptSummary } from "../../gen/sluice/v1/prompt_pb.ts";
import { PromptService } from "../../gen/sluice/v1/prompt_service_pb.ts";
import {
  type GetCallRequestSchema,
  type GetCallResponse,
  type ListBudgetsRequestSchema,
  type ListBudgetsResponse,
  type ListCallsRequestSchema,
  type ListCallsResponse,
  type SummarizeUsageRequestSchema,
  type SummarizeUsageResponse,
  UsageService,
} from "../../gen/sluice/v1/usage_service_pb.ts";
import { answered, translated } from "./client/answered.ts";
import { type CorpusClient, createCorpusClient } from "./client/corpus-client.ts";

export { ConnectionError } from "./client/connection-error.ts";
export type { CorpusClient } from "./client/corpus-client.ts";
export { RemoteError, type RemoteFailure } from "./client/remote-error.ts";

/** A running server, as the command line uses it. Every method throws `ConnectionError` or `RemoteError`. */
export interface SluiceClient extends CorpusClient {
  /** @param options.timeoutMs the deadline of the call. Default: the server's. */
  streamComplete(
    input: MessageInitShape<typeof CompletionInputSchema>,
    options?: { readonly timeoutMs?: number },
  ): AsyncIterable<StreamCompleteResponse>;
  listModels(): Promise<Pick<ListModelsResponse, "models" | "embeddingModels">>;
  /** All of them, by name; pages are fetched as they are needed. */
  listPrompts(): AsyncIterable<PromptSummary>;
  /** Needs a key for operators, as `purgeCache` does. */
  getStatus(): Promise<GetStatusResponse>;
  purgeCache(request: MessageInitShape<typeof PurgeCacheRequestSchema>): Promise<PurgeCacheResponse>;
  estimateCost(input: MessageInitShape<typeof EstimateInputSchema>): Promise<CostEstimate>;
  summarizeUsage(request: MessageInitShape<typeof SummarizeUsageRequestSchema>): Promise<SummarizeUsageResponse>;
  listCalls(request: MessageInitShape<typeof ListCallsRequestSchema>): Promise<ListCallsResponse>;
  getCall(request: MessageInitShape<typeof GetCallRequestSchema>): Promise<GetCallResponse>;
  listBudgets(request: MessageInitShape<typeof ListBudgetsRequestSchema>): Promise<ListBudgetsResponse>;
}

/** `url` is the server's address with http or https; the key is sent as `authorization: Bearer …`. */
export function createClient({ url, apiKey }: { url: string; apiKey?: string }): SluiceClient {
  const withKey: Interceptor = (next) => (request) => {
    if (apiKey !== undefined) request.header.set("authorization", `Bearer ${apiKey}`);
    return next(request);
  };
  // HTTP/1.1 rather than HTTP/2: it passes every proxy, and leaves no session behind that would keep the process alive.
  const transport = createConnectTransport({ baseUrl: url, httpVersion: "1.1", interceptors: [withKey] });
  const pipeline = createServiceClient(PipelineService, transport);
  const models = createServiceClient(ModelService, transport);
  const prompts = createServiceClient(PromptService, transport);
  const admin = createServiceClient(AdminService, transport);
  const usage = createServiceClient(UsageService, transport);

  return {
    ...createCorpusClient(transport, url),
    async *streamComplete(input, { timeoutMs } = {}) {
      let hasAnswered = false;
      // As a header rather than as an option: a timer here would end the call before the server's reason arrives.
      const headers = timeoutMs === undefined ? {} : { "connect-timeout-ms": String(timeoutMs) };
      try {
        for await (const event of pipeline.streamComplete({ input }, { headers })) {
          hasAnswered = true;
          yield event;
        }
      } catch (error) {
        throw await translated(error, url, hasAnswered);
      }
    },
    listModels: () => answered(url, () => models.listModels({})),
    getStatus: () => answered(url, () => admin.getStatus({})),
    purgeCache: (request) => answered(url, () => admin.purgeCache(request)),
    estimateCost: (input) =>
      answered(url, async () => (await usage.estimateCost({ input })).estimate ?? create(CostEstimateSchema)),
    summarizeUsage: (request) => answered(url, () => usage.summarizeUsage(request)),
    listCalls: (request) => answered(url, () => usage.listCalls(request)),
    getCall: (request) => answered(url, () => usage.getCall(request)),
    listBudgets: (request) => answered(url, () => usage.listBudgets(request)),
    async *listPrompts() {
      let pageToken = "";
      try {
        do {
          const page = await prompts.listPrompts({ pageToken });
          yield* page.prompts;
          pageToken = page.nextPageToken;
        } while (pageToken !== "");
      } catch (error) {
        throw await translated(error, url);
      }
    },
  };
}
