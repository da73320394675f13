import type { Deadline } from "./deadline.ts";
import type { AttemptTimeouts, ModelLimits } from "./model.ts";

/** One request for vectors. */
export interface EmbeddingRequest {
  /** Sent upstream as `x-request-id`, `<call_id>-<attempt>`, of the call whose text is the first. */
  readonly callId: string;
  readonly attempt: number;
  readonly providerModel: string;
  /** At least one, none of them empty. */
  readonly texts: readonly string[];
  /** The number of numbers that each vector must have. */
  readonly dimension: number;
  /** Whether the provider is told of it: models that can shorten their vectors are. */
  readonly sendsDimension: boolean;
  readonly timeouts: AttemptTimeouts;
}

/** What a provider sent, checked: one vector for each text, in their order, each of length 1. */
export interface EmbeddingAnswer {
  readonly vectors: readonly Float32Array[];
  /** Absent where the provider did not report it. */
  readonly promptTokens?: number;
  /** The name of the model that the provider says answered. */
  readonly servedModel?: string;
}

/** A provider's endpoint for embeddings, or the built-in model. */
export interface EmbeddingEndpoint {
  /**
   * One request. Vectors are scaled to length 1, whatever the provider sends. Aborting closes the socket at once.
   * @throws UpstreamError: `bad_vectors` for a wrong count, numbers that are none, or a vector of zeros;
   *   `wrong_dimension`; else as for chat; the signal's reason when it was aborted.
   */
  embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingAnswer>;
}

/** An alias of `embedding_models`, resolved. */
export interface EmbeddingTarget {
  readonly alias: string;
  readonly provider: {
    readonly id: string;
    readonly baseUrl?: string;
    /** What else its requests carry that may change answers, as one text. */
    readonly settings?: string;
  };
  readonly providerModel: string;
  /** Family for counting tokens. */
  readonly family: string;
  readonly dimension: number;
  /** Whether the provider is told of it. */
  readonly sendsDimension: boolean;
  /** Most tokens of one text. */
  readonly maxInputTokens: number;
  /** Most texts, and most tokens, of one request to the provider. */
  readonly maxBatchTexts: number;
  readonly maxBatchTokens: number;
  readonly timeouts: AttemptTimeouts;
  readonly limits: ModelLimits;
  readonly synthetic: false;
  /** Runs in this process: nothing is sent, nothing is paid, and nothing is recorded as an attempt. */
  readonly isBuiltIn: boolean;
  /** What it is; empty for models of providers. */
  readonly description: string;
  readonly endpoint: EmbeddingEndpoint;
}

/** The embedding models of the configuration. */
export interface EmbeddingCatalog {
  readonly defaultAlias: string;
  /** @throws SluiceError UNKNOWN_MODEL with the nearest names. */
  resolve(alias: string): EmbeddingTarget;
  /** In the order of the configuration, the built-in one last. */
  list(): readonly EmbeddingTarget[];
}

/** Vectors as they are kept, by the hash of what they were made of, which holds the tenant. */
export interface VectorCache {
  /** In the order of the keys; undefined where there is none. Never throws. */
  get(keys: readonly string[], wait: { readonly deadline: Deadline }): Promise<readonly (CachedVector | undefined)[]>;
  /** Never throws; only memory is waited for. */
  set(entries: readonly { readonly key: string; readonly vector: Float32Array }[], ttlMs: number): void;
}

export interface CachedVector {
  readonly vector: Float32Array;
  readonly layer: "memory" | "shared";
}
