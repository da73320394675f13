/** What the names of a family's models begin with, after a vendor's prefix such as `meta-llama/`. */
const families: readonly (readonly [family: string, names: RegExp])[] = [
  ["openai", /^(?:gpt|chatgpt|o[1-9]|codex|davinci|text-embedding)/],
  ["anthropic", /^claude/],
  ["gemini", /^(?:gemini|gemma|learnlm)/],
  ["llama", /^(?:meta-)?(?:code)?llama/],
  ["mistral", /^(?:mistral|mixtral|ministral|codestral|magistral|devstral|pixtral)/],
  ["qwen", /^(?:qwen|qwq)/],
  ["deepseek", /^deepseek/],
  ["grok", /^grok/],
];

/** The family whose tokenizer a model most likely has, told from its name. `other` where the name says nothing. */
export function familyOf(providerModel: string): string {
  const name = providerModel.toLowerCase().split("/").at(-1) ?? "";
  return families.find(([, names]) => names.test(name))?.[0] ?? "other";
}
