import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { PromptReferenceSchema } from "../../gen/sluice/v1/completion_pb.ts";
import type { PromptSchema, PromptSummarySchema, RenderedPromptSchema } from "../../gen/sluice/v1/prompt_pb.ts";
import {
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  type PromptService,
  RenderPromptRequestSchema,
} from "../../gen/sluice/v1/prompt_service_pb.ts";
import { invalidRequest, SluiceError } from "../core/failure.ts";
import type { ChatMessage, ModelCatalog } from "../core/model.ts";
import type { LoadedPrompt, PromptLibrary } from "../core/prompt.ts";
import { TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT, type TokenCounter } from "../core/tokens.ts";
import { toContractMessage } from "../pipeline/explain.ts";
import { readVariables } from "../pipeline/validate/variables.ts";
import { checkMessage } from "../pipeline/validate.ts";
import { pageTokenAfter, readPageToken } from "./page-token.ts";

export interface PromptServicePorts {
  readonly prompts: PromptLibrary;
  readonly models: ModelCatalog;
  readonly counter: TokenCounter;
}

const DEFAULT_PAGE_SIZE = 100;

/** PromptService over the loaded prompt files. */
export function promptService(ports: PromptServicePorts): ServiceImpl<typeof PromptService> {
  return {
    listPrompts(request) {
      checkMessage(ListPromptsRequestSchema, request);
      return page(ports.prompts, request.pageSize || DEFAULT_PAGE_SIZE, readPageToken(request.pageToken));
    },
    getPrompt(request) {
      checkMessage(GetPromptRequestSchema, request);
      return { prompt: shown(ports.prompts.get(request.name, request.version)) };
    },
    renderPrompt(request) {
      checkMessage(RenderPromptRequestSchema, request);
      if (!request.prompt) throw invalidRequest("prompt", "required", "value is required");
      const input = request.prompt;
      const prompt = ports.prompts.get(input.name, input.version);
      const messages = renameFields(() => prompt.render(readVariables(input), []));
      return { prompt: rendered(prompt, messages, tokensOf(ports, prompt, messages)) };
    },
  };
}

/** Prompts come by name; a page begins after the last name of the page before, whether or not that still exists. */
function page(prompts: PromptLibrary, size: number, after: string) {
  const byName = new Map<string, LoadedPrompt[]>();
  for (const prompt of prompts.list()) {
    if (prompt.name <= after) continue;
    const versions = byName.get(prompt.name);
    if (versions) versions.push(prompt);
    else byName.set(prompt.name, [prompt]);
  }
  const names = [...byName.keys()].sort().slice(0, size);
  return {
    prompts: names.map((name) => summary(byName.get(name) ?? [])),
    nextPageToken: byName.size > size ? pageTokenAfter(names.at(-1) ?? "") : "",
  };
}

/** The versions are of one prompt, highest first. */
function summary(versions: readonly LoadedPrompt[]): MessageInitShape<typeof PromptSummarySchema> {
  const [latest] = versions;
  return {
    latest: latest && referenceOf(latest),
    versions: versions.map(({ version }) => version),
    description: latest?.description ?? "",
  };
}

function referenceOf({ name, version, contentHash }: LoadedPrompt): MessageInitShape<typeof PromptReferenceSchema> {
  return { name, version, contentHash };
}

function shown(prompt: LoadedPrompt): MessageInitShape<typeof PromptSchema> {
  return {
    reference: referenceOf(prompt),
    description: prompt.description,
    model: prompt.model ?? "",
    inputSchema: prompt.inputSchemaText,
    outputSchema: prompt.outputSchemaText ?? "",
    generation: prompt.generation,
    retrieval: prompt.retrieval?.input,
    retrievalQueryVariable: prompt.retrieval?.queryVariable ?? "",
    source: prompt.source,
    exampleVariablesJson: prompt.exampleVariablesText ?? "",
  };
}

function rendered(
  prompt: LoadedPrompt,
  messages: readonly ChatMessage[],
  promptTokens: number,
): MessageInitShape<typeof RenderedPromptSchema> {
  return {
    reference: referenceOf(prompt),
    messages: messages.map(toContractMessage),
    promptTokens: BigInt(promptTokens),
  };
}

/** Counted as the prompt's own model would, or the default one. */
function tokensOf(
  { models, counter }: PromptServicePorts,
  prompt: LoadedPrompt,
  messages: readonly ChatMessage[],
): number {
  const alias = prompt.model ?? models.defaultAlias;
  const family = models.list().find((target) => target.alias === alias)?.family ?? "";
  return messages.reduce((sum, { text }) => sum + counter.count(text, family) + TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT);
}

/**
 * Paths as this request has them: the stages name variables from `input.prompt`, the prompt from `variables`; here both
 * lie in `prompt`.
 */
function renameFields<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SluiceError) || error.failure.reason !== "INVALID_REQUEST") throw error;
    const violations = error.failure.violations.map((violation) => ({
      ...violation,
      field: violation.field.replace(/^(?:input\.prompt\.)?(?=variables)/, "prompt."),
    }));
    throw new SluiceError({ reason: "INVALID_REQUEST", violations }, { cause: error });
  }
}
