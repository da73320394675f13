import { invalidRequest } from "../core/failure.ts";
import type { JsonSchemas } from "../core/json-schema.ts";
import type { ModelCatalog, ModelTarget } from "../core/model.ts";
import type { PromptLibrary } from "../core/prompt.ts";
import { type Draft, draftRequest } from "./build-context/draft.ts";
import { type FitPorts, type FittedPrompt, fitToModel } from "./build-context/fit.ts";
import type { ValidInput } from "./validate.ts";

export interface BuildContextPorts extends FitPorts {
  readonly prompts: PromptLibrary;
  readonly models: ModelCatalog;
  readonly schemas: JsonSchemas;
}

/** A request with its names resolved, fitted to the model that is asked first. */
export interface BuiltContext {
  /** What other models of the chain are fitted from. */
  readonly draft: Draft;
  readonly target: ModelTarget;
  readonly fitted: FittedPrompt;
}

/**
 * The build-context stage: prompt file and variables → messages that fit the model.
 * Errors: UNKNOWN_PROMPT, UNKNOWN_MODEL, INVALID_REQUEST (variables, chat-template tokens), CONTEXT_OVERFLOW.
 */
export function buildContext(ports: BuildContextPorts, valid: ValidInput): BuiltContext {
  const draft = draftRequest(ports, valid);
  const target = ports.models.resolve(draft.modelAlias ?? ports.models.defaultAlias);
  if (!takesTexts(target, draft)) {
    const what = `holds a chat-template token, which the server of ${target.alias} may read as structure`;
    throw invalidRequest(draft.templateTokenField() ?? "input", "template_token", what);
  }
  return { draft, target, fitted: fitToModel(ports, draft, target) };
}

/** Whether every text of the draft stays text on its way through the model's server. */
export function takesTexts(target: ModelTarget, draft: Draft): boolean {
  return target.templateTokens === "text" || draft.templateTokenField() === undefined;
}
