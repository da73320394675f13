import type { UpstreamErrorFields } from "../../../core/model.ts";

type Finding = Pick<UpstreamErrorFields, "kind" | "unit" | "limit" | "requested" | "maxOutputTokens">;

/** How providers state the numbers of an overflow. The first pattern that fits is used. */
const OVERFLOWS: readonly RegExp[] = [
  // vLLM, newer builds.
  /maximum context length is (?<window>\d+).{0,80}?requested (?<completion>\d+) output tokens and your prompt contains at least (?<prompt>\d+)/i,
  /too large: (?<completion>\d+)\..{0,40}?maximum context length is (?<window>\d+) tokens and your request has (?<prompt>\d+) input tokens/i,
  // OpenAI, vLLM, OpenRouter.
  /maximum context length is (?<window>\d+).{0,80}?requested (?:about )?\d+ tokens \((?<prompt>\d+)[^)\d]{1,60}(?<completion>\d+)/i,
  /maximum context length is (?<window>\d+).{0,80}?(?:resulted in|requested)(?: about)? (?<prompt>\d+)/i,
  // Anthropic.
  /prompt is too long: (?<prompt>\d+) tokens > (?<window>\d+)/i,
  /exceed context limit: (?<prompt>\d+) \+ (?<completion>\d+) > (?<window>\d+)/i,
  // Gemini.
  /input token count \(?(?<prompt>\d+)\)? exceeds the maximum number of tokens allowed \(?(?<window>\d+)/i,
  // Azure.
  /configured limit of (?<window>\d+) tokens.{0,60}?resulted in (?<prompt>\d+)/i,
  // Mistral.
  /prompt contains (?<prompt>\d+) tokens.{0,80}?model with (?<window>\d+) maximum/i,
  // Bedrock.
  /prompt tokens \((?<prompt>\d+)\) exceed model maximum \((?<window>\d+)\)/i,
  // SGLang and Together.
  /input \((?<prompt>\d+) tokens\) is longer than the model's context length \((?<window>\d+)/i,
  // xAI.
  /maximum prompt length is (?<window>\d+) but the request contains (?<prompt>\d+)/i,
  // Kimi.
  /exceeded model token limit: (?<window>\d+) \(requested: (?<prompt>\d+)/i,
  // llama.cpp.
  /request \((?<prompt>\d+) tokens\) exceeds the available context size \((?<window>\d+)/i,
];

const OUTPUT_LIMITS: readonly RegExp[] = [
  /supports at most (?<max>\d+) (?:completion|output) tokens/i,
  /max_tokens: \d+ > (?<max>\d+)/i,
  /cannot be greater than [^\d]{0,60}(?<max>\d+)/i,
  /must be less than or equal to [`'"]?(?<max>\d+)/i,
  /valid range of max_tokens is \[1, ?(?<max>\d+)\]/i,
  /to (?<beyond>\d+) \(exclusive\)/i,
  /exceeds the model limit of (?<max>\d+)/i,
];

/**
 * The numbers of an overflow, and its cure. Where the prompt fits and the reserved output is what does not, the output
 * is cut, not the prompt: that is the case when more output than prompt was asked for, and where Anthropic says that
 * the sum of both is too large.
 */
export function refineOverflow(message: string): Finding {
  const found = firstGroups(OVERFLOWS, message);
  const window = toCount(found.window);
  const prompt = toCount(found.prompt);
  const completion = toCount(found.completion);
  if (window === undefined || prompt === undefined) return { kind: "context_overflow" };
  const numbers = { unit: "tokens", limit: window, requested: prompt };
  if (completion === undefined || prompt >= window) return { kind: "context_overflow", ...numbers };
  const isOutputTheCause = completion > prompt || /exceed context limit/i.test(message);
  return {
    kind: isOutputTheCause ? "output_limit_invalid" : "context_overflow",
    ...numbers,
    maxOutputTokens: window - prompt,
  };
}

/** The largest number of output tokens that the message allows. */
export function refineOutputLimit(message: string): Finding {
  const { max, beyond } = firstGroups(OUTPUT_LIMITS, message);
  const allowed = toCount(max) ?? (beyond === undefined ? undefined : (toCount(beyond) ?? 0) - 1);
  return { kind: "output_limit_invalid", ...(allowed !== undefined && allowed >= 1 && { maxOutputTokens: allowed }) };
}

function firstGroups(patterns: readonly RegExp[], message: string): Readonly<Record<string, string | undefined>> {
  for (const pattern of patterns) {
    const groups = pattern.exec(message)?.groups;
    if (groups) return groups;
  }
  return {};
}

function toCount(digits: string | undefined): number | undefined {
  const count = Number(digits);
  return Number.isSafeInteger(count) ? count : undefined;
}
