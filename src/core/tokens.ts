/** Counts tokens, approximately: exact only for models whose tokenizer is o200k. */
export interface TokenCounter {
  /**
   * Tokens of a text for a model family ("openai", "anthropic", "gemini", "llama", …; unknown families get the factor 1).
   * Linear time for any input. Special tokens in the text count as plain text.
   */
  count(text: string, family: string): number;
  /** Learns from what the provider reported for a prompt that was counted as `counted`; bounded, and never below the base factor's half or above its double. */
  observe(family: string, counted: number, reported: number): void;
}

/** Tokens that a chat format adds around each message, and once around the whole prompt (OpenAI's cookbook: 3 and 3). */
export const TOKENS_PER_MESSAGE = 3;
export const TOKENS_PER_PROMPT = 3;
