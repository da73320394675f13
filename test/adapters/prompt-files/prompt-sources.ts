import { createCheckCompiler } from "../../../src/adapters/cel-checks/index.ts";
import { createJsonSchemas } from "../../../src/adapters/json-schema/index.ts";
import { type LoadResult, loadPrompt } from "../../../src/adapters/prompt-files/index.ts";
import type { Log, LogFields } from "../../../src/core/log.ts";
import type { LoadedPrompt, PromptChunk } from "../../../src/core/prompt.ts";

export const schemas = createJsonSchemas();
export const checks = createCheckCompiler();

/** A prompt file with these variables (YAML lines of `properties`) and this body. */
export function promptText(properties: string, body: string, more = ""): string {
  const indented = properties.split("\n").map((line) => `      ${line}`);
  return [
    "---",
    "description: For a test.",
    ...(more === "" ? [] : [more]),
    "input:",
    "  schema:",
    "    type: object",
    "    additionalProperties: false",
    ...(properties === "" ? ["    properties: {}"] : ["    properties:", ...indented]),
    "---",
    body,
  ].join("\n");
}

/** Loads a text as `prompts/test/v1.prompt`. */
export function load(text: string | Uint8Array): LoadResult {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return loadPrompt({ file: "prompts/test/v1.prompt", name: "test", version: "v1", bytes }, { schemas, checks });
}

export function loadGood(text: string): LoadedPrompt {
  const result = load(text);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.prompt;
}

/** `line: rule` of each problem. */
export function problemsOf(text: string | Uint8Array): readonly string[] {
  const result = load(text);
  return result.ok ? [] : result.problems.map(({ line, rule }) => `${line ?? "-"}: ${rule}`);
}

export function render(prompt: LoadedPrompt, value: unknown, chunks: readonly PromptChunk[] = []) {
  return prompt.render({ value, spelled: value }, chunks);
}

/** The text of the only message. */
export function renderText(text: string, value: unknown, chunks: readonly PromptChunk[] = []): string {
  const messages = render(loadGood(text), value, chunks);
  return messages.map((message) => message.text).join("\n====\n");
}

export interface LogLine {
  readonly event: string;
  readonly fields: LogFields;
}

/** A log that can be read afterwards. */
export function recordingLog(): Log & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const write = (event: string, fields: LogFields = {}) => {
    lines.push({ event, fields });
  };
  return { lines, isEnabled: () => true, debug: write, info: write, warn: write, error: write };
}
