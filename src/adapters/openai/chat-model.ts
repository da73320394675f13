import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { type ChatModel, type ModelEvent, type ModelRequest, UpstreamError } from "../../core/model.ts";
import { readAnswer, readErrorText } from "./answer/read.ts";
import type { AnswerContext } from "./answer/summary.ts";
import { classify } from "./errors/classify.ts";
import { readErrorBody } from "./errors/error-body.ts";
import { networkError } from "./errors/network-error.ts";
import { AttemptLimits } from "./http/attempt-limits.ts";
import { createAgent, type HttpResponse, post } from "./http/client.ts";
import { rememberingAdapter } from "./request/adapted-schemas.ts";
import { Dialects } from "./request/dialect.ts";
import { type EndpointOptions, endpointOf } from "./request/endpoint.ts";
import { type RequestDialect, requestBody } from "./request/request-body.ts";

export interface OpenAiChatModelOptions extends EndpointOptions {
  /** The provider's name in the configuration, for the log. */
  readonly providerId: string;
}

export interface OpenAiChatModelDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A chat endpoint that speaks OpenAI's protocol, of OpenAI or anyone else. One iteration is one HTTP request; nothing
 * is retried here. `close` ends all connections, also those in use.
 * @throws TypeError for a base URL that cannot be used.
 */
export function createOpenAiChatModel(
  options: OpenAiChatModelOptions,
  deps: OpenAiChatModelDeps,
): ChatModel & { close(): Promise<void> } {
  const { providerId, apiKey = "" } = options;
  const endpoint = endpointOf(options);
  const dialects = new Dialects({ maxTokensField: endpoint.maxTokensField, hasStreamOptions: true });
  const adapt = rememberingAdapter();
  const agent = createAgent();

  const classified = (response: Pick<HttpResponse, "status" | "headers">, body: string) => {
    const { status, headers } = response;
    const fields = classify({ status, headers, body }, { nowMs: deps.clock.nowMs(), secrets: [apiKey] });
    if (fields.kind === "unknown") {
      deps.log.warn("upstream_error_unknown", { provider: providerId, http_status: status, sample: fields.sample });
    }
    return fields;
  };

  /** The failure that a response with a bad status is. */
  const refusal = async (response: HttpResponse, request: ModelRequest, dialect: RequestDialect) => {
    const body = await readErrorText(response);
    const fields = classified(response, body);
    const isMended =
      fields.kind === "request_refused" && dialects.learn(request.providerModel, dialect, readErrorBody(body));
    return new UpstreamError(isMended ? { ...fields, retry: true } : fields);
  };

  async function* complete(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent, void, undefined> {
    signal.throwIfAborted();
    const dialect = dialects.of(request.providerModel);
    const body = requestBody(request, dialect, adapt);
    const headers = {
      accept: request.streamUpstream ? "text/event-stream" : "application/json",
      "x-request-id": `${request.callId}-${request.attempt}`,
    };
    const limits = new AttemptLimits(request.timeouts, request.streamUpstream, signal);
    let response: HttpResponse | undefined;
    try {
      response = await post(agent, endpoint, headers, body, limits);
      if (response.status < 200 || response.status > 299) throw await refusal(response, request, dialect);
      const { status, headers: answerHeaders } = response;
      const context: AnswerContext = {
        httpStatus: status,
        acceptsMissingFinish: request.output.kind === "json",
        classify: (text) => classified({ status, headers: answerHeaders }, text),
        onUnfiltered: () => deps.log.warn("content_filter_was_down", { provider: providerId, call_id: request.callId }),
      };
      yield* readAnswer(response, context, limits);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw networkError(error, response?.status ?? 0, limits.expired);
    } finally {
      limits.end();
      response?.close();
    }
  }

  return { complete, close: () => agent.destroy() };
}
