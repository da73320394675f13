import type { Retrieval } from "../../gen/sluice/v1/completion_pb.ts";
import { invalidRequest, SluiceError } from "../core/failure.ts";
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

/** A request with its names resolved, for the model that is asked first, but not yet fitted to it. */
export interface DraftedContext {
  /** What other models of the chain are fitted from. */
  readonly draft: Draft;
  readonly target: ModelTarget;
  /** Who is asked, one after the other, when its answers stay bad. */
  readonly escalations: readonly ModelTarget[];
  /** What was retrieved for it; absent before, and where nothing is asked for. */
  readonly retrieval?: Retrieval;
}

/** A request with its names resolved, fitted to the model that is asked first. */
export interface BuiltContext extends DraftedContext {
  readonly fitted: FittedPrompt;
}

/**
 * The build-context stage: prompt file and variables → messages that fit the model.
 * Errors: those of `draftContext`, then those of `fitContext`.
 */
export function buildContext(ports: BuildContextPorts, valid: ValidInput): BuiltContext {
  return fitContext(ports, valid, draftContext(ports, valid));
}

/**
 * Resolves names and fills in the prompt. Without counting, which is most of the stage's work.
 * Errors: UNKNOWN_PROMPT, UNKNOWN_MODEL, INVALID_REQUEST (variables, chat-template tokens).
 */
export function draftContext(ports: BuildContextPorts, valid: ValidInput): DraftedContext {
  const draft = draftRequest(ports, valid);
  const target = ports.models.resolve(draft.modelAlias ?? ports.models.defaultAlias);
  if (!takesTexts(target, draft)) {
    const what = `holds a chat-template token, which the server of ${target.alias} may read as structure`;
    throw invalidRequest(draft.templateTokenField() ?? "input", "template_token", what);
  }
  return { draft, target, escalations: escalationsOf(ports.models, target) };
}

/**
 * Fits what was drafted to the model's window.
 * Errors: CONTEXT_OVERFLOW, INVALID_REQUEST (checks that cannot hold).
 */
export function fitContext(ports: FitPorts, valid: ValidInput, drafted: DraftedContext): BuiltContext {
  const { draft, target } = drafted;
  const fitted = fitToModel(ports, draft, target);
  refuseHopelessChecks(valid, draft, fitted);
  return { ...drafted, fitted };
}

/** The alias that a request asks for, without building it: of a prompt that is gone it is not known. */
export function askedAlias({ prompts, models }: BuildContextPorts, { input }: ValidInput): string | undefined {
  if (input.model !== "") return input.model;
  if (!input.prompt) return models.defaultAlias;
  try {
    return prompts.get(input.prompt.name, input.prompt.version).model ?? models.defaultAlias;
  } catch (error) {
    if (error instanceof SluiceError) return undefined;
    throw error;
  }
}

/** Before a model is paid for answers of which none could be good. */
function refuseHopelessChecks({ input, outputChecks }: ValidInput, draft: Draft, { chunks }: FittedPrompt): void {
  const { checks } = draft.output;
  const refused = checks.refuse({ input: draft.variables, said: draft.said, chunks });
  if (!refused) return;
  const { index, code, rule, message } = refused;
  const isOwn = checks === outputChecks;
  const field = isOwn ? `input.output.${input.output?.format.case}.checks[${index}].rule` : "input.prompt";
  throw invalidRequest(field, code, isOwn ? message : `the prompt's check ${JSON.stringify(rule)}: ${message}`);
}

/** Whether every text of the draft stays text on its way through the model's server. */
export function takesTexts(target: ModelTarget, draft: Draft): boolean {
  return target.templateTokens === "text" || draft.templateTokenField() === undefined;
}

/** The configuration has no cycles of escalations; what a hand-made catalogue has is followed once. */
function escalationsOf(models: ModelCatalog, target: ModelTarget): readonly ModelTarget[] {
  const found = new Set<ModelTarget>();
  for (let alias = target.escalateTo; alias !== undefined; ) {
    const next = models.resolve(alias);
    if (next === target || found.has(next)) break;
    found.add(next);
    alias = next.escalateTo;
  }
  return [...found];
}
