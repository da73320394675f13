import type { TokenCounts } from "./money.ts";

/** One message as models take it: plain text, one role. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly text: string;
}

/** Sampling and length after defaults were applied. Absent fields are not sent. */
export interface SamplingOptions {
  readonly temperature?: number;
  readonly topP?: number;
  readonly maxOutputTokens: number;
  readonly stop: readonly string[];
  readonly seed?: bigint;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly reasoningEffort?: "minimal" | "low" | "medium" | "high";
}

export type StructuredOutputMode = "json_schema" | "json_object" | "prompt";

/**
 * What is asked of the model's answer. For `json_object` and `prompt` the schema is already in the messages; the
 * schema is given all the same, for models that act on it (the sandbox does).
 */
export type ModelOutput =
  | { readonly kind: "text" }
  | { readonly kind: "json"; readonly mode: StructuredOutputMode; readonly schemaText: string };

/** One attempt. */
export interface ModelRequest {
  /** Id of the call and number of the attempt; sent upstream as `x-request-id` `<call_id>-<attempt>`. */
  readonly callId: string;
  readonly attempt: number;
  readonly providerModel: string;
  readonly messages: readonly ChatMessage[];
  /** How many of the last messages speak of an earlier answer to the same prompt. For the sandbox, which reads the prompt. */
  readonly messagesOfCorrection: number;
  /** The chunks that the messages hold, apart, for the sandbox, which quotes them. Empty where there are none. */
  readonly chunks: readonly { readonly id: string; readonly text: string }[];
  readonly sampling: SamplingOptions;
  readonly output: ModelOutput;
  readonly timeouts: AttemptTimeouts;
  /** Whether to ask the provider for a stream. */
  readonly streamUpstream: boolean;
}

/** Limits of one attempt in milliseconds. What the deadline leaves is the signal's business: it aborts the attempt. */
export interface AttemptTimeouts {
  /** Until the first byte of the body (or of the first SSE event). */
  readonly firstByteMs: number;
  /** Between two pieces of the body. */
  readonly idleMs: number;
  /** The whole attempt. */
  readonly attemptMs: number;
}

/** What a model sends: any number of deltas, then exactly one end, or it throws. */
export type ModelEvent =
  /** Never empty, never half a character. */
  | { readonly kind: "delta"; readonly text: string }
  /** The model said why it stopped. A closed socket without it is `stream_interrupted`. */
  | {
      readonly kind: "end";
      readonly finish: "stop" | "length";
      /** Absent where the provider did not report it. */
      readonly usage?: TokenCounts;
      /** The name of the model that the provider says answered. */
      readonly servedModel?: string;
    };

/** A provider's chat endpoint. Iterating makes the request; leaving the loop or aborting closes its socket at once. */
export interface ChatModel {
  /** @throws UpstreamError for every failure; the signal's reason when it was aborted. */
  complete(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}

/** What kind of failure an attempt ended in. Each kind has one answer in `pipeline/call-model/`. */
export type UpstreamErrorKind =
  | "rate_limited"
  | "exceeds_rate_window"
  | "quota_exhausted"
  | "overloaded"
  | "context_overflow"
  /** The asked number of output tokens is not allowed. */
  | "output_limit_invalid"
  /** Too many bytes, not tokens. */
  | "payload_too_large"
  | "content_filtered_input"
  | "content_filtered_output"
  | "auth_invalid"
  | "permission_denied"
  | "model_not_found"
  /** The native JSON mode is not supported. */
  | "json_mode_refused"
  /** The provider refuses the request for another reason that a retry cannot mend. */
  | "request_refused"
  | "first_byte_timeout"
  | "idle_timeout"
  | "attempt_timeout"
  /** No connection, or it broke before the answer began. */
  | "unreachable"
  /** The answer began and broke off. */
  | "stream_interrupted"
  /** A 200 that is no answer: no choices, no text, no JSON. */
  | "empty_answer"
  /** A 200 whose provider counted far fewer prompt tokens than it was sent: it read only a part of the prompt. */
  | "prompt_truncated"
  /** A 200 whose vectors are none: a wrong count, numbers that are none, or nothing but zeros. */
  | "bad_vectors"
  /** Vectors of another dimension than the configuration says. */
  | "wrong_dimension"
  | "unknown";

export interface UpstreamErrorFields {
  readonly kind: UpstreamErrorKind;
  /** 0 where there was none. */
  readonly httpStatus: number;
  /** The wait the provider asked for. */
  readonly waitMs?: number;
  /**
   * Overrides what the kind says about sending the request again: false where the provider forbids it
   * (`x-should-retry: false`), true where it asks for it or the adapter will send the next attempt differently.
   */
  readonly retry?: boolean;
  /** What the window counts, its size, and what this request asked of it. */
  readonly unit?: string;
  readonly limit?: number;
  readonly requested?: number;
  /**
   * For `output_limit_invalid`, and for a `context_overflow` whose prompt alone would fit: the largest number of output
   * tokens that is allowed, where the provider said.
   */
  readonly maxOutputTokens?: number;
  /** For filters: the provider's category. */
  readonly category?: string;
  /**
   * The provider's own word for the error and the parameter that it is about, or the code of a broken connection such
   * as ECONNREFUSED. At most 100 plain characters.
   */
  readonly code?: string;
  /** For `bad_vectors`: what is wrong, by the JSON path in the response. */
  readonly violations?: readonly {
    readonly path: string;
    readonly rule: string;
    readonly expected: string;
    readonly got: string;
  }[];
  /** Tokens that the provider reported although the attempt failed. */
  readonly usage?: TokenCounts;
  /** At most 500 characters of the provider's error message, for the log. Never keys. */
  readonly sample?: string;
}

/** A failed attempt, already classified by the adapter that knows the provider's language. */
export class UpstreamError extends Error {
  readonly fields: UpstreamErrorFields;

  constructor(fields: UpstreamErrorFields, options?: { cause?: unknown }) {
    super(`upstream ${fields.kind}${fields.httpStatus ? ` (HTTP ${fields.httpStatus})` : ""}`, options);
    this.name = "UpstreamError";
    this.fields = fields;
  }
}

/** How much of a provider's model this process uses at once. */
export interface ModelLimits {
  /** Requests under way. At least 1. */
  readonly maxConcurrency: number;
  /** Calls that wait for one of them to end. 0: none waits. */
  readonly maxQueue: number;
}

/** A model alias of the configuration, resolved. */
export interface ModelTarget {
  readonly alias: string;
  readonly provider: {
    readonly id: string;
    readonly baseUrl?: string;
    /** What else its requests carry that may change answers, such as Azure's api-version, as one text. */
    readonly settings?: string;
  };
  readonly providerModel: string;
  /** Family for counting tokens. */
  readonly family: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** Asked for where the request does not say. */
  readonly initialMaxTokens: number;
  readonly structuredOutput: StructuredOutputMode;
  readonly streamUpstream: boolean;
  /** Whether the provider's server takes chat-template tokens in texts for text, or might read them as structure. */
  readonly templateTokens: "text" | "refuse";
  readonly fallbacks: readonly string[];
  readonly escalateTo?: string;
  readonly timeouts: AttemptTimeouts;
  /** Shared by all aliases of the same provider and model. Sandbox models are not held to them. */
  readonly limits: ModelLimits;
  readonly synthetic: boolean;
  readonly description: string;
  readonly chat: ChatModel;
}

/** The model aliases of the configuration. */
export interface ModelCatalog {
  readonly defaultAlias: string;
  /** @throws SluiceError UNKNOWN_MODEL with the nearest names. */
  resolve(alias: string): ModelTarget;
  /** In the order of the configuration. */
  list(): readonly ModelTarget[];
}
