import type { ValidInput } from "../validate.ts";

/**
 * Words that chat templates of open models give a meaning: `<|im_start|>` and its like (ChatML, Llama 3, Phi, Qwen),
 * `<｜…｜>` (DeepSeek), `<start_of_turn>` (Gemma), `[INST]` and `<<SYS>>` (Llama 2, Mistral). A server that renders such
 * a template as text cannot tell them from its own, and a document could then speak as the system.
 */
const TEMPLATE_TOKEN = /<[|｜][^\s<>|｜]{1,64}[|｜]>|<(?:start|end)_of_turn>|\[\/?INST\]|<<\/?SYS>>/;

/** The path of the first text of a request that holds a chat-template token, as clients write it. */
export function findTemplateToken({ input, variables }: ValidInput): string | undefined {
  for (const [index, message] of input.messages.entries()) {
    for (const [part, { content }] of message.content.entries()) {
      if (TEMPLATE_TOKEN.test(content.value ?? "")) return `input.messages[${index}].content[${part}].text`;
    }
  }
  for (const [index, chunk] of (input.context?.chunks ?? []).entries()) {
    if (TEMPLATE_TOKEN.test(chunk.text)) return `input.context.chunks[${index}].text`;
    if (TEMPLATE_TOKEN.test(chunk.id)) return `input.context.chunks[${index}].id`;
  }
  const variable = findIn(variables.value, "");
  const field = input.prompt?.variablesJson ? "variables_json" : "variables";
  return variable === undefined ? undefined : `input.prompt.${field}${variable}`;
}

/** Validation has bounded the depth. */
function findIn(value: unknown, path: string): string | undefined {
  if (typeof value === "string") return TEMPLATE_TOKEN.test(value) ? path : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = findIn(member, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
