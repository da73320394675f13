import { create } from "@bufbuild/protobuf";
import type { CacheOptions, CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import {
  type CachePreview,
  CachePreviewSchema,
  type CostPreview,
  CostPreviewSchema,
  type Explanation,
  ExplanationSchema,
  type TokenBudget,
  TokenBudgetSchema,
} from "../../gen/sluice/v1/explanation_pb.ts";
import { type Message, MessageSchema, Role } from "../../gen/sluice/v1/message_pb.ts";
import type { Call } from "../core/call.ts";
import type { ChatMessage } from "../core/model.ts";
import { exactCost, type PriceBook, roundToNanoUsd } from "../core/money.ts";
import type { TokenBudget as Budget } from "./build-context/fit.ts";
import { type BuildContextPorts, type BuiltContext, buildContext } from "./build-context.ts";
import { type CachePorts, cachePolicy, lookUp } from "./cache.ts";
import { NO_CORPUS, requestKey } from "./cache-key/request-key.ts";
import { contentKey } from "./cache-key.ts";
import { promptReference, truncation } from "./completion.ts";
import { type ValidatePorts, validate } from "./validate.ts";

export interface ExplainPorts extends ValidatePorts, BuildContextPorts {
  readonly prices: PriceBook;
  readonly cache: CachePorts;
  /** For the digests of the keys' parts. */
  readonly inputHashKey: Uint8Array;
}

/** Everything about a call but the call. Throws what `Complete` would throw before it looks up the cache. */
export async function explain(
  ports: ExplainPorts,
  call: Call,
  input: CompletionInput | undefined,
): Promise<Explanation> {
  const valid = validate(ports, input);
  const context = buildContext(ports, valid);
  const { target, fitted, draft } = context;
  return create(ExplanationSchema, {
    messages: fitted.messages.map(toContractMessage),
    model: target.alias,
    providerModel: target.providerModel,
    prompt: promptReference(draft.prompt),
    budget: budgetMessage(fitted.budget),
    truncation: truncation(fitted.dropped),
    cache: await cachePreview(ports, call, valid.input.cache, context),
    cost: costPreview(ports.prices, context),
    synthetic: target.synthetic,
  });
}

async function cachePreview(
  ports: ExplainPorts,
  call: Call,
  options: CacheOptions | undefined,
  context: BuiltContext,
): Promise<CachePreview> {
  const { fitted, ...drafted } = context;
  const { tenant } = call.caller;
  const content = contentKey(tenant, context);
  const request = requestKey(tenant, drafted, NO_CORPUS);
  const policy = cachePolicy(options, ports.cache.defaultTtlMs);
  const found = policy.mayRead ? await lookUp(ports.cache, content.key, () => undefined) : undefined;
  const hit = found && "entry" in found ? found : undefined;
  const missed = policy.mayWrite ? CacheStatus.MISS : CacheStatus.BYPASSED;
  return create(CachePreviewSchema, {
    key: content.key,
    status: hit?.status ?? missed,
    requestKey: request.key,
    parts: [...content.parts(ports.inputHashKey)],
    requestParts: [...request.parts(ports.inputHashKey)],
    corpusVersion: NO_CORPUS,
  });
}

const roles = { system: Role.SYSTEM, user: Role.USER, assistant: Role.ASSISTANT } as const;

/** A message as the contract shows it: one role, one text part. */
export function toContractMessage(message: ChatMessage): Message {
  return create(MessageSchema, {
    role: roles[message.role],
    content: [{ content: { case: "text", value: message.text } }],
  });
}

function budgetMessage(budget: Budget): TokenBudget {
  return create(TokenBudgetSchema, {
    windowTokens: BigInt(budget.windowTokens),
    reservedOutputTokens: BigInt(budget.reservedOutputTokens),
    systemTokens: BigInt(budget.systemTokens),
    schemaTokens: BigInt(budget.schemaTokens),
    contextTokens: BigInt(budget.contextTokens),
    conversationTokens: BigInt(budget.conversationTokens),
    promptTokens: BigInt(budget.promptTokens),
  });
}

function costPreview(prices: PriceBook, context: BuiltContext): CostPreview {
  const { target, fitted } = context;
  const price = prices.price(target.provider, target.providerModel);
  if (!price) return create(CostPreviewSchema);
  const promptTokens = fitted.budget.promptTokens;
  const completionTokens = fitted.sampling.maxOutputTokens;
  const cost = exactCost({ promptTokens, cachedPromptTokens: 0, completionTokens, reasoningTokens: 0 }, price);
  return create(CostPreviewSchema, {
    promptNanoUsd: roundToNanoUsd(cost.inputFemtoUsd),
    maxCompletionNanoUsd: roundToNanoUsd(cost.outputFemtoUsd),
    priceVersion: price.version,
  });
}
