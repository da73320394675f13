const MAX_SAMPLE_CHARS = 500;

/** Text that looks like a credential: OpenAI and its imitators, Google, Groq, xAI, AWS, bearer tokens, JWTs. */
const SECRETS = [
  /\b(?:sk|pk|rk|gsk|xai|hf|pplx|nvapi|csk|fw|tgp|org)[-_][\w*.-]{6,}/gi,
  /\bAIza[\w-]{20,}/g,
  /\bAKIA[A-Z0-9]{12,}/g,
  /\bya29\.[\w.-]{10,}/g,
  /\bBearer\s+[^\s"',;]{6,}/gi,
  /\beyJ[\w-]{8,}(?:\.[\w-]+){0,2}/g,
  /\b(?:api[-_ ]?key|token|secret|password)["']?\s?[=:]\s?["']?[^\s"',;]{6,}/gi,
];

/**
 * Replaces long quotations by an ellipsis. Providers quote what they refuse, and a prompt that quotes "429" or "maximum
 * context length" must decide nothing, nor reach a log. Short quotations name parameters and models and stay.
 */
export function withoutQuotations(message: string): string {
  return message.replace(/(?<!\w)(["'`])((?:(?!\1(?!\w)).){41,})\1(?!\w)/gs, "$1…$1");
}

/**
 * At most 500 characters of a provider's message, for the log: on one line, without quotations of the request, and
 * without the given secrets or anything else that looks like a key.
 */
export function sampleOf(message: string, secrets: readonly string[]): string {
  let text = withoutQuotations(message);
  for (const secret of secrets) if (secret !== "") text = text.replaceAll(secret, "[redacted]");
  for (const pattern of SECRETS) text = text.replace(pattern, "[redacted]");
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .slice(0, MAX_SAMPLE_CHARS)
    .toWellFormed();
}
