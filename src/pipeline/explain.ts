import { create } from "@bufbuild/protobuf";
import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
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
import { type BuildContextPorts, type BuiltContext, draftContext, fitContext } from "./build-context.ts";
import { type CachePolicy, type CachePorts, cachePolicy, lookUp, withoutCache } from "./cache.ts";
import { requestKey } from "./cache-key/request-key.ts";
import { contentKey } from "./cache-key.ts";
import { promptReference, truncation } from "./completion.ts";
import { CallReport } from "./report.ts";
import { type Corpus, type GroundPorts, ground, openCorpus } from "./retrieve/ground.ts";
import { shownOf } from "./retrieve/shown.ts";
import { type ValidatePorts, type ValidInput, validate } from "./validate.ts";

export interface ExplainPorts extends ValidatePorts, BuildContextPorts, GroundPorts {
  readonly cache: CachePorts;
}

/** Everything about a call but the call. Throws what `Complete` would throw before it looks up the cache. */
export async function explain(
  ports: ExplainPorts,
  call: Call,
  input: CompletionInput | undefined,
): Promise<Explanation> {
  const valid = validate(ports, input);
  const { context, corpus, policy } = await contextFor(ports, call, valid);
  const { target, fitted, draft, retrieval } = context;
  return create(ExplanationSchema, {
    messages: fitted.messages.map(toContractMessage),
    model: target.alias,
    providerModel: target.providerModel,
    prompt: promptReference(draft.prompt),
    budget: budgetMessage(fitted.budget),
    truncation: truncation(fitted.dropped),
    cache: await cachePreview(ports, call, { policy, context, corpus }),
    cost: costPreview(ports.prices, context),
    synthetic: target.synthetic,
    retrieval: shownOf(retrieval, fitted.chunks),
  });
}

/** The request as the call would build it. A query's embedding is paid for here as it is there. */
async function contextFor(ports: ExplainPorts, call: Call, valid: ValidInput): Promise<Explained> {
  const report = new CallReport(ports, call);
  try {
    report.attribution = valid.input.attribution;
    const draft = draftContext(ports, valid);
    const corpus = await openCorpus(ports, { call, report }, draft);
    const asAsked = cachePolicy(valid.input.cache, ports.cache.defaultTtlMs);
    const drafted = await ground(ports, { call, report, policy: asAsked }, draft, corpus);
    const policy = drafted.retrieval?.failedWith ? withoutCache(asAsked) : asAsked;
    return { context: fitContext(ports, valid, drafted), corpus, policy };
  } finally {
    // Nothing is answered, so no row of a call is written; attempts have rows of their own.
    report.leave();
  }
}

interface Explained {
  readonly context: BuiltContext;
  readonly corpus: Corpus;
  readonly policy: CachePolicy;
}

async function cachePreview(
  ports: ExplainPorts,
  call: Call,
  { context, corpus, policy }: Explained,
): Promise<CachePreview> {
  const { fitted, ...drafted } = context;
  const { tenant } = call.caller;
  const content = contentKey(tenant, context);
  const request = requestKey(tenant, drafted, corpus.version);
  const found = policy.mayRead ? await lookUp(ports.cache, content.key, () => undefined) : undefined;
  const hit = found && "entry" in found ? found : undefined;
  const missed = policy.mayWrite ? CacheStatus.MISS : CacheStatus.BYPASSED;
  return create(CachePreviewSchema, {
    key: content.key,
    status: hit?.status ?? missed,
    requestKey: request.key,
    parts: [...content.parts(ports.inputHashKey)],
    requestParts: [...request.parts(ports.inputHashKey)],
    corpusVersion: corpus.version,
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
