import type OpenAI from "openai";
import type { Clock } from "../../core/clock.ts";
import type { EmbeddingAnswer, EmbeddingEndpoint, EmbeddingRequest } from "../../core/embedding.ts";
import type { Log } from "../../core/log.ts";
import { UpstreamError } from "../../core/model.ts";
import { readErrorText } from "./answer/read.ts";
import { readVectors } from "./embeddings/read-vectors.ts";
import { classify } from "./errors/classify.ts";
import { networkError } from "./errors/network-error.ts";
import { AttemptLimits } from "./http/attempt-limits.ts";
import { BodyTooLargeError, createAgent, type HttpResponse, post } from "./http/client.ts";
import { type EndpointOptions, endpointOf } from "./request/endpoint.ts";

export interface OpenAiEmbeddingsOptions extends EndpointOptions {
  /** The provider's name in the configuration, for the log. */
  readonly providerId: string;
}

/** What a number takes in JSON at most, with its comma. */
const BYTES_PER_NUMBER = 26;
const BYTES_BESIDE = 1024 * 1024;

/** Hosts that are known to send floats as bytes in base64: a third of the size, and read in a tenth of the time. */
const SENDS_BASE64 = /(?:^|\.)(?:openai\.com|openai\.azure\.com)$/;

/**
 * An endpoint for embeddings that speaks OpenAI's protocol, of OpenAI or anyone else. One call is one HTTP request;
 * nothing is retried here. `close` ends all connections, also those in use.
 * @throws TypeError for a base URL that cannot be used.
 */
export function createOpenAiEmbeddings(
  options: OpenAiEmbeddingsOptions,
  deps: { readonly clock: Clock; readonly log: Log },
): EmbeddingEndpoint & { close(): Promise<void> } {
  const { providerId, apiKey = "" } = options;
  const endpoint = endpointOf(options, "/embeddings");
  const encodingFormat = SENDS_BASE64.test(new URL(options.baseUrl).hostname) ? "base64" : "float";
  const agent = createAgent();

  const classified = ({ status, headers }: Pick<HttpResponse, "status" | "headers">, body: string) => {
    const fields = classify({ status, headers, body }, { nowMs: deps.clock.nowMs(), secrets: [apiKey] });
    if (fields.kind === "unknown") {
      deps.log.warn("upstream_error_unknown", { provider: providerId, http_status: status, sample: fields.sample });
    }
    return fields;
  };

  async function embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingAnswer> {
    signal.throwIfAborted();
    const headers = { accept: "application/json", "x-request-id": `${request.callId}-${request.attempt}` };
    const limits = new AttemptLimits(request.timeouts, false, signal);
    let response: HttpResponse | undefined;
    try {
      response = await post(agent, endpoint, headers, bodyOf(request, encodingFormat), limits);
      const { status } = response;
      if (status < 200 || status > 299) {
        throw new UpstreamError(classified(response, await readErrorText(response)));
      }
      const answered = response;
      const text = await readText(response, request);
      return readVectors(text, request, { httpStatus: status, classify: (body) => classified(answered, body) });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw networkError(error, response?.status ?? 0, limits.expired);
    } finally {
      limits.end();
      response?.close();
    }
  }

  return { embed, close: () => agent.destroy() };
}

function bodyOf(request: EmbeddingRequest, encodingFormat: "base64" | "float"): string {
  const { providerModel, texts, dimension, sendsDimension } = request;
  const body: OpenAI.EmbeddingCreateParams = {
    model: providerModel,
    input: [...texts],
    encoding_format: encodingFormat,
    ...(sendsDimension && { dimensions: dimension }),
  };
  return JSON.stringify(body);
}

/** The whole body, bounded by what was asked for. */
async function readText(response: HttpResponse, { texts, dimension }: EmbeddingRequest): Promise<string> {
  const maxBytes = texts.length * dimension * BYTES_PER_NUMBER + BYTES_BESIDE;
  const pieces: Uint8Array[] = [];
  try {
    for (let piece = await response.next(maxBytes); piece; piece = await response.next(maxBytes)) pieces.push(piece);
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
  } catch (error) {
    if (!(error instanceof BodyTooLargeError) && !(error instanceof TypeError)) throw error;
    throw new UpstreamError({ kind: "stream_interrupted", httpStatus: response.status }, { cause: error });
  }
}
