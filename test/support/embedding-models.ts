import { createHash } from "node:crypto";
import type {
  EmbeddingCatalog,
  EmbeddingEndpoint,
  EmbeddingRequest,
  EmbeddingTarget,
} from "../../src/core/embedding.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { UpstreamError, type UpstreamErrorFields } from "../../src/core/model.ts";

/** A vector of length 1 that is near those of texts with the same words. */
export function wordVector(text: string, dimension: number): Float32Array {
  const vector = new Float32Array(dimension);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    const at = createHash("sha256").update(word).digest().readUInt32BE() % dimension;
    vector[at] = (vector[at] ?? 0) + 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((number) => number / length);
}

export interface ScriptedEndpoint extends EmbeddingEndpoint {
  readonly requests: EmbeddingRequest[];
  /** What the next requests fail with, one each. */
  readonly failures: UpstreamErrorFields[];
}

/** A paid embedding model replaced by words: one prompt token for each. */
export function scriptedEndpoint(): ScriptedEndpoint {
  const requests: EmbeddingRequest[] = [];
  const failures: UpstreamErrorFields[] = [];
  return {
    requests,
    failures,
    async embed(request, signal) {
      signal.throwIfAborted();
      requests.push(request);
      const failure = failures.shift();
      if (failure) throw new UpstreamError(failure);
      const words = request.texts.map((text) => text.split(/\s+/).filter(Boolean).length);
      return {
        vectors: request.texts.map((text) => wordVector(text, request.dimension)),
        promptTokens: words.reduce((sum, count) => sum + count, 0),
      };
    },
  };
}

/** An alias of an embedding model for tests. */
export function embeddingTarget(fields: Partial<EmbeddingTarget> = {}): EmbeddingTarget {
  return {
    alias: "words",
    provider: { id: "main", baseUrl: "http://upstream.test/v1" },
    providerModel: "words-1",
    family: "openai",
    dimension: 64,
    sendsDimension: false,
    maxInputTokens: 8191,
    maxBatchTexts: 256,
    maxBatchTokens: 100_000,
    timeouts: { firstByteMs: 1000, idleMs: 1000, attemptMs: 5000 },
    limits: { maxConcurrency: 64, maxQueue: 256 },
    synthetic: false,
    isBuiltIn: false,
    description: "",
    endpoint: scriptedEndpoint(),
    ...fields,
  };
}

/** A catalogue of these models; the first is the default. */
export function embeddingCatalog(...targets: readonly EmbeddingTarget[]): EmbeddingCatalog {
  return {
    defaultAlias: targets[0]?.alias ?? "",
    list: () => targets,
    resolve(alias) {
      const found = targets.find((target) => target.alias === alias);
      if (!found) throw new SluiceError({ reason: "UNKNOWN_MODEL", name: alias, nearest: [] });
      return found;
    },
  };
}
