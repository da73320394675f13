import { create } from "@bufbuild/protobuf";
import { PromptInputSchema } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { type FieldViolation, SluiceError } from "../../core/failure.ts";
import type { ChatMessage } from "../../core/model.ts";
import type { LoadedPrompt, PromptChunk } from "../../core/prompt.ts";
import { readVariables } from "../../pipeline/validate/variables.ts";

export type Rendering =
  | { readonly ok: true; readonly messages: readonly ChatMessage[] }
  | { readonly ok: false; readonly violations: readonly FieldViolation[] };

/** Renders as the service does, digits included. `variablesText` is a JSON object; empty means no variables. */
export function renderVariables(
  prompt: LoadedPrompt,
  variablesText: string,
  chunks: readonly PromptChunk[],
): Rendering {
  try {
    const variables = readVariables(create(PromptInputSchema, { variablesJson: variablesText }));
    return { ok: true, messages: prompt.render(variables, chunks) };
  } catch (error) {
    if (!(error instanceof SluiceError) || error.failure.reason !== "INVALID_REQUEST") throw error;
    const violations = error.failure.violations.map((violation) => ({
      ...violation,
      field: violation.field.replace(/^input\.prompt\.variables(?:_json)?/, "variables"),
    }));
    return { ok: false, violations };
  }
}

/** Messages for people, and for golden files: a headline with the role above each text. */
export function messagesText(messages: readonly ChatMessage[]): string {
  return messages.map(({ role, text }) => `=== ${role} ===\n${text}\n`).join("\n");
}

/** `variables.lines[0].sku: required: …` */
export function violationText({ field, rule, description }: FieldViolation): string {
  return `${field}: ${rule}: ${description}`;
}
