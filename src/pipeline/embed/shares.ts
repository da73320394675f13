import type { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { isPayersOwn } from "../../core/budgets.ts";
import type { EmbeddingTarget } from "../../core/embedding.ts";
import { type FailureReason, SluiceError } from "../../core/failure.ts";
import type { UpstreamError } from "../../core/model.ts";
import type { Price, PriceBook, TokenCounts } from "../../core/money.ts";
import { mayHaveBeenPaid } from "../call-model/attempt.ts";
import { reasonOf } from "../call-model/failure.ts";
import { type OpenAttempt, priceOf } from "../charge.ts";
import type { Asker } from "./asker.ts";
import { divide } from "./divide.ts";
import type { TextWork } from "./work.ts";

/** What one call pays of a request: that of its own texts. */
interface Share {
  readonly asker: Asker;
  readonly works: readonly TextWork[];
  readonly open: OpenAttempt;
  /** The bill is settled. */
  readonly settled: () => void;
}

/** How a request ended, for all who pay for it together. */
interface SharedEnd {
  readonly promptTokens: number;
  readonly estimated: boolean;
  readonly httpStatus: number;
  readonly failure?: FailureReason;
}

/** What is sent when, and who stops it. */
export interface SharePlan {
  readonly target: EmbeddingTarget;
  readonly cause: AttemptCause;
  readonly waitMs: number;
  /** Aborted where nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/**
 * The charges of one request: each call whose texts are in it pays for those, and what the provider reports is divided
 * among them to the token and the nano-USD. They end once, together.
 */
export class Shares {
  #shares: readonly Share[];
  readonly #price: Price | undefined;
  #isEnded = false;

  private constructor(shares: readonly Share[], price: Price | undefined) {
    this.#shares = shares;
    this.#price = price;
  }

  /**
   * Records the start of the request for everyone who pays for it. Whoever may not pay has failed when this resolves;
   * `unpaid` are the texts of theirs that somebody else waits for, `paid` those that may be sent. Never rejects.
   */
  static async open(
    prices: PriceBook,
    works: readonly TextWork[],
    plan: SharePlan,
  ): Promise<{ readonly shares: Shares; readonly paid: readonly TextWork[]; readonly unpaid: readonly TextWork[] }> {
    const { target } = plan;
    if (target.isBuiltIn) return { shares: new Shares([], undefined), paid: works, unpaid: [] };
    const price = prices.price(target.provider, target.providerModel);
    const byPayer = Map.groupBy(works, ({ payer }) => payer);
    const opened = await Promise.all(
      [...byPayer].map(async ([asker, own]) => ({ own, share: asker && (await openShare(asker, own, plan)) })),
    );
    const shares = opened.flatMap(({ share }) => share ?? []);
    const worksOf = (isPaid: boolean) =>
      opened.flatMap(({ own, share }) => ((share !== undefined) === isPaid ? own : []));
    return {
      shares: new Shares(shares, price),
      paid: worksOf(true),
      unpaid: worksOf(false).filter(({ isWanted }) => isWanted),
    };
  }

  /** Of whom the request is, by its first text; absent where nobody is charged. */
  get first(): { readonly callId: string; readonly attempt: number } | undefined {
    const [first] = this.#shares;
    return first && { callId: first.asker.job.call.id, attempt: first.open.number };
  }

  get calls(): number {
    return this.#shares.length;
  }

  /** @param promptTokens as the provider reports them; absent: our own count. */
  answered(promptTokens: number | undefined): Promise<void> {
    const estimated = promptTokens === undefined;
    return this.#end({ promptTokens: promptTokens ?? this.#counted, estimated, httpStatus: 200 });
  }

  failed({ fields: { kind, usage, httpStatus } }: UpstreamError): Promise<void> {
    const estimated = !usage && mayHaveBeenPaid.has(kind);
    const promptTokens = usage?.promptTokens ?? (estimated ? this.#counted : 0);
    return this.#end({ promptTokens, estimated, httpStatus, failure: reasonOf[kind] });
  }

  /** The request went out and was given up: the provider may charge for it. */
  abandoned(failure: FailureReason): Promise<void> {
    return this.#end({ promptTokens: this.#counted, estimated: true, httpStatus: 0, failure });
  }

  /** Only these texts are sent after all: who has none among them pays nothing. */
  async keepOnly(works: readonly TextWork[]): Promise<void> {
    const kept = new Set(works);
    const all = this.#shares.map((share) => ({ ...share, works: share.works.filter((work) => kept.has(work)) }));
    this.#shares = all.filter((share) => share.works.length > 0);
    const end = { promptTokens: 0, estimated: false, httpStatus: 0, failure: "CANCELLED" } as const;
    const price = this.#price;
    await Promise.all(all.filter((share) => share.works.length === 0).map((share) => settle([share], price, end)));
  }

  get #counted(): number {
    return this.#shares.reduce((sum, { works }) => sum + tokensOf(works), 0);
  }

  async #end(end: SharedEnd): Promise<void> {
    if (this.#isEnded || this.#shares.length === 0) return;
    this.#isEnded = true;
    await settle(this.#shares, this.#price, end);
  }
}

/** Ends the charges of all shares, each with its part of the tokens and of what they cost together. */
async function settle(
  shares: readonly Share[],
  price: Price | undefined,
  { promptTokens, ...end }: SharedEnd,
): Promise<void> {
  const weights = shares.map(({ works }) => Math.max(1, tokensOf(works)));
  const tokens = divide(BigInt(promptTokens), weights);
  const cost = priceOf(promptOnly(promptTokens), price);
  const costs = cost === undefined ? undefined : divide(cost, weights);
  await Promise.all(
    shares.map(async ({ asker, open, settled }, index) => {
      const own = promptOnly(Number(tokens[index] ?? 0n));
      // What could not be recorded is the failure of the call that it was to be recorded for.
      await open.end({ ...end, tokens: own, share: { costNanoUsd: costs?.[index] } }).catch((error: unknown) => {
        asker.leave(error);
      });
      settled();
    }),
  );
}

function tokensOf(works: readonly TextWork[]): number {
  return works.reduce((sum, { tokens }) => sum + tokens, 0);
}

async function openShare(asker: Asker, works: readonly TextWork[], plan: SharePlan): Promise<Share | undefined> {
  const { target, cause, waitMs, signal } = plan;
  const { promise: ended, resolve: settled } = Promise.withResolvers<void>();
  asker.pays(works, { ended, signal });
  try {
    const estimate = { estimatedPromptTokens: tokensOf(works), maxOutputTokens: 0 };
    return { asker, works, settled, open: await asker.job.charges.begin({ target, cause, waitMs, ...estimate }) };
  } catch (error) {
    settled();
    // Who has joined the same text may pay for it; a ledger that takes no records takes nobody's.
    if (error instanceof SluiceError && isPayersOwn(error.failure)) asker.leave(error);
    else for (const work of works) work.lost(error);
    return undefined;
  }
}

function promptOnly(promptTokens: number): TokenCounts {
  return { promptTokens, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 };
}
