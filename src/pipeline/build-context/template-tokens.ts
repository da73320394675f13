import type { ChatMessage } from "../../core/model.ts";
import type { LoadedPrompt } from "../../core/prompt.ts";
import type { ValidInput } from "../validate.ts";

/**
 * Words that chat templates of open models give a meaning: `<|im_start|>` and its like (ChatML, Llama 3, Phi, Qwen),
 * `<｜…｜>` (DeepSeek), `<start_of_turn>` (Gemma), `[INST]`, `[SYSTEM_PROMPT]` and `<<SYS>>` (Llama 2, Mistral). A
 * server that renders such a template as text cannot tell them from its own, and a document could then speak as the
 * system.
 */
const TEMPLATE_TOKEN =
  /<[|｜][^\s<>|｜]{1,64}[|｜]>|<(?:start|end)_of_turn>|\[\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<<\/?SYS>>/;

/** Whether a text holds a chat-template token. */
export function hasTemplateToken(text: string): boolean {
  return TEMPLATE_TOKEN.test(text);
}

/**
 * The path of the first text of a request that holds a chat-template token, as clients write it. Texts are looked at
 * as the model gets them: parts of a message joined, and variables in their places, where two may make a token that
 * neither holds.
 */
export function findTemplateToken(
  valid: ValidInput,
  prompt: LoadedPrompt | undefined,
  rendered: readonly ChatMessage[],
): string | undefined {
  return inMessages(valid) ?? inContext(valid) ?? inSchema(valid) ?? inVariables(valid, prompt, rendered);
}

function inMessages({ input }: ValidInput): string | undefined {
  for (const [index, message] of input.messages.entries()) {
    const texts = message.content.map(({ content }) => content.value ?? "");
    if (!TEMPLATE_TOKEN.test(texts.join(""))) continue;
    const part = texts.findIndex((text) => TEMPLATE_TOKEN.test(text));
    return `input.messages[${index}].content${part < 0 ? "" : `[${part}].text`}`;
  }
  return undefined;
}

function inContext({ input }: ValidInput): string | undefined {
  for (const [index, chunk] of (input.context?.chunks ?? []).entries()) {
    if (TEMPLATE_TOKEN.test(chunk.text)) return `input.context.chunks[${index}].text`;
    if (TEMPLATE_TOKEN.test(chunk.id)) return `input.context.chunks[${index}].id`;
  }
  return undefined;
}

function inSchema({ outputSchema }: ValidInput): string | undefined {
  return outputSchema && TEMPLATE_TOKEN.test(outputSchema.text) ? "input.output.json.schema" : undefined;
}

function inVariables(
  { input, variables }: ValidInput,
  prompt: LoadedPrompt | undefined,
  rendered: readonly ChatMessage[],
): string | undefined {
  const field = `input.prompt.${input.prompt?.variablesJson ? "variables_json" : "variables"}`;
  const path = findIn(variables.value, "");
  if (path !== undefined) return `${field}${path}`;
  // A prompt file that holds such a token means it: then only the variables themselves are looked at.
  if (!prompt || TEMPLATE_TOKEN.test(prompt.source)) return undefined;
  return rendered.some(({ text }) => TEMPLATE_TOKEN.test(text)) ? field : undefined;
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
