import type { ProviderError } from "../errors/error-body.ts";
import type { MaxTokensField, RequestDialect } from "./request-body.ts";

const REFUSED =
  /not supported|unsupported|not permitted|not allowed|unrecognized|unknown|extra inputs|extra_forbidden|use ['"`]?max_/i;

/** Names of models are configured, so more of them than this is a mistake; the oldest is forgotten. */
const MAX_MODELS = 1_000;

/**
 * How each model of one provider wants its requests. Starts from a default and learns from refusals that name a field:
 * the token limit has two names, and some servers do not take `stream_options`. Each lesson is learned once, so that
 * two refusals that contradict each other cannot go back and forth.
 */
export class Dialects {
  readonly #initial: RequestDialect;
  readonly #learned = new Map<string, RequestDialect>();

  constructor(initial: RequestDialect) {
    this.#initial = initial;
  }

  of(providerModel: string): RequestDialect {
    return this.#learned.get(providerModel) ?? this.#initial;
  }

  /**
   * Takes the refusal of a request that was written in `used`. True where the next request will be written differently
   * because of it, by this or by an earlier lesson.
   */
  learn(providerModel: string, used: RequestDialect, refusal: ProviderError): boolean {
    const wanted = this.#adapted(used, refusal);
    if (wanted === undefined) return false;
    this.#learned.delete(providerModel);
    this.#learned.set(providerModel, wanted);
    if (this.#learned.size > MAX_MODELS) for (const oldest of this.#learned.keys()) return this.#learned.delete(oldest);
    return true;
  }

  #adapted(used: RequestDialect, refusal: ProviderError): RequestDialect | undefined {
    const text = `${refusal.param} ${refusal.codes.join(" ")} ${refusal.message}`;
    if (!REFUSED.test(text)) return undefined;
    if (used.hasStreamOptions && text.includes("stream_options")) return { ...used, hasStreamOptions: false };
    if (used.maxTokensField !== this.#initial.maxTokensField) return undefined;
    const isNamed = new RegExp(`\\b${used.maxTokensField}\\b`).test(text);
    return isNamed ? { ...used, maxTokensField: other(used.maxTokensField) } : undefined;
  }
}

function other(field: MaxTokensField): MaxTokensField {
  return field === "max_tokens" ? "max_completion_tokens" : "max_tokens";
}
