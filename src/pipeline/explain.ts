import { create } from "@bufbuild/protobuf";
import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import {
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
import { costNanoUsd, type PriceBook } from "../core/money.ts";
import type { TokenBudget as Budget } from "./build-context/fit.ts";
import { type BuildContextPorts, type BuiltContext, buildContext } from "./build-context.ts";
import { type CachePorts, cachePolicy, lookUp } from "./cache.ts";
import { contentKey } from "./cache-key.ts";
import { promptReference, truncation } from "./completion.ts";
import { type ValidatePorts, validate } from "./validate.ts";

export interface ExplainPorts extends ValidatePorts, BuildContextPorts {
  readonly prices: PriceBook;
  readonly cache: CachePorts;
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
  const { key, parts } = contentKey(call.caller.tenant, context);
  const policy = cachePolicy(valid.input.cache, ports.cache.defaultTtlMs);
  const found = policy.mayRead ? await lookUp(ports.cache, key, () => undefined) : undefined;
  const hit = found && "completion" in found ? found : undefined;
  const missed = policy.mayWrite ? CacheStatus.MISS : CacheStatus.BYPASSED;
  return create(ExplanationSchema, {
    messages: fitted.messages.map(toContractMessage),
    model: target.alias,
    providerModel: target.providerModel,
    prompt: promptReference(draft.prompt),
    budget: budgetMessage(fitted.budget),
    truncation: truncation(fitted.dropped),
    cache: { key, status: hit?.status ?? missed, keyParts: [...parts] },
    cost: costPreview(ports.prices, context),
    synthetic: target.synthetic,
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
  const nothing = { promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  return create(CostPreviewSchema, {
    promptNanoUsd: costNanoUsd({ ...nothing, promptTokens: fitted.budget.promptTokens }, price),
    maxCompletionNanoUsd: costNanoUsd({ ...nothing, completionTokens: fitted.sampling.maxOutputTokens }, price),
    priceVersion: price.version,
  });
}
