import { randomUUID } from "node:crypto";
import type {
  BudgetPayer,
  BudgetRule,
  BudgetState,
  Budgets,
  PlannedAttempt,
  RateRule,
  Reservation,
  SpentLedger,
} from "../core/budgets.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { toAmount } from "./memory-budgets/amount.ts";
import { Book, type MoneyBucket } from "./memory-budgets/book.ts";
import { type Claim, refuseHopeless, takeHere } from "./memory-budgets/claim.ts";
import { Holds } from "./memory-budgets/holds.ts";
import { lookBack } from "./memory-budgets/look-back.ts";
import { compileRules, nameIn } from "./memory-budgets/rules.ts";
import { Seeds } from "./memory-budgets/seeds.ts";
import type { SharedBudgets } from "./memory-budgets/shared-budgets.ts";
import { Sharing } from "./memory-budgets/sharing.ts";
import { budgetStates, concerning, type Rules } from "./memory-budgets/states.ts";
import { Warnings } from "./memory-budgets/warnings.ts";

/** Buckets of one process, budgets and limits together. */
const MAX_BUCKETS = 100_000;
/** Names with a bucket of their own for each rule, tenant and period. */
const MAX_NAMES = 20_000;

export interface BudgetsOptions {
  readonly budgets: readonly BudgetRule[];
  readonly rates: readonly RateRule[];
  readonly clock: Clock;
  readonly log: Log;
  /** How long a reservation is kept whose end is never told: longer than any attempt, in milliseconds. */
  readonly holdMs: number;
  /** What was spent before. Absent: every bucket begins at 0. */
  readonly ledger?: SpentLedger;
  /** The buckets that processes share. Absent: each process counts for itself. Closed with the budgets. */
  readonly shared?: SharedBudgets;
  /** Most names with a bucket of their own, apart from the first 1,000 of each tenant. Default: 100,000. */
  readonly maxBuckets?: number;
  /** Most names of a rule, tenant and period. Default: 20,000. */
  readonly maxNames?: number;
}

/**
 * Budgets that are kept in this process and, where there are, in the buckets that processes share: these decide as long
 * as they answer, and what this process knows of them decides while they do not.
 * @throws RangeError for a `holdMs` that is not above 0, or a limit that is not from 1 to 2^53 - 1.
 */
export function createBudgets(options: BudgetsOptions): Budgets & { close(): Promise<void> } {
  check(options);
  const { clock, log, ledger, holdMs } = options;
  const warnings = new Warnings(options);
  const book = new Book({
    clock,
    maxBuckets: options.maxBuckets ?? MAX_BUCKETS,
    maxNames: options.maxNames ?? MAX_NAMES,
    onOverflow: (rule, tenant) => warnings.overflow(rule, tenant),
  });
  const rules = { money: compileRules(options.budgets), rates: compileRules(options.rates) };
  const seeds = ledger && new Seeds(ledger, { clock, log });
  const sharing = options.shared && new Sharing(options.shared, { clock, warnings, book, ...(seeds && { seeds }) });
  const holds = new Holds({ clock, warnings, holdMs, ...(sharing && { sharing }) });
  const process = randomUUID();
  let claims = 0;
  if (!sharing && rules.money.length + rules.rates.length > 0) warnings.inProcess();

  function claimOf(payer: BudgetPayer, attempt: PlannedAttempt, unit: RateRule["unit"]): Claim {
    const rates = rules.rates.flatMap((rule) => {
      const name = rule.rule.unit === unit ? nameIn(rule, payer) : undefined;
      return name === undefined ? [] : [book.rateOf(rule, payer.tenant, name)];
    });
    const money = rules.money.flatMap((rule) => {
      const name = unit === "tokens" ? nameIn(rule, payer) : undefined;
      return name === undefined ? [] : [book.moneyOf(rule, payer.tenant, name)];
    });
    return {
      ...{ payer, attempt, money, rates, units: attempt.tokens },
      id: `${process}.${claims++}`,
      amount: toAmount(attempt.maxCostNanoUsd ?? 0n),
      estimate: toAmount(attempt.promptCostNanoUsd ?? 0n),
    };
  }

  /** Takes the claim from the shared buckets, or where they do not answer from this process's own view of them. */
  async function take(claim: Claim): Promise<Parameters<Holds["hold"]>[1]> {
    refuseHopeless(claim, clock);
    const outcome = sharing ? await sharing.take(claim) : "not_sent";
    if (outcome === "taken") return outcome;
    if (seeds) await seedHere(claim.money, { seeds, clock, warnings });
    try {
      takeHere(claim, clock);
    } catch (error) {
      // What was sent without an answer may have been reserved.
      if (outcome === "unknown") sharing?.giveBack(claim);
      throw error;
    }
    return outcome;
  }

  return {
    async admit(payer) {
      const claim = claimOf(payer, { maxCostNanoUsd: 0n, promptCostNanoUsd: 0n, tokens: 1, model: "" }, "requests");
      if (claim.rates.length > 0) await take(claim);
    },
    async reserve(payer, attempt): Promise<Reservation> {
      holds.expire();
      const claim = claimOf(payer, attempt, "tokens");
      if (claim.money.length + claim.rates.length === 0) return { settle() {} };
      try {
        const outcome = await take(claim);
        return holds.hold(claim, outcome);
      } catch (error) {
        for (const bucket of claim.money) book.leave(bucket);
        throw error;
      }
    },
    async states(tenant) {
      holds.expire();
      return lookAt(rules, { book, clock, tenant, ledger, sharing });
    },
    async close() {
      seeds?.close();
      await sharing?.close();
    },
  };
}

/** Asks the ledger of buckets that neither it nor Redis has said anything of, and waits for it as long as calls may. */
async function seedHere(
  money: readonly MoneyBucket[],
  { seeds, clock, warnings }: { readonly seeds: Seeds; readonly clock: Clock; readonly warnings: Warnings },
): Promise<void> {
  const fresh = money.filter(({ epoch, isOverflow }) => epoch === "" && !isOverflow);
  for (const bucket of fresh) {
    if (bucket.seed) continue;
    seeds.ask(bucket, clock.nowMs(), (amount) => {
      if (bucket.epoch === "") bucket.told = Math.max(bucket.told, amount);
      warnings.spent(bucket);
    });
  }
  await Promise.all(fresh.map(({ seed }) => seed?.soon));
}

interface LookPorts {
  readonly book: Book;
  readonly clock: Clock;
  readonly tenant: string | undefined;
  readonly ledger: SpentLedger | undefined;
  readonly sharing: Sharing | undefined;
}

/** What this process knows, the ledger knows of others, and Redis of both. */
async function lookAt(rules: Rules, { book, clock, tenant, ledger, sharing }: LookPorts): Promise<BudgetState[]> {
  const past = ledger && (await lookBack(ledger, concerning(rules.money, tenant), { book, clock, tenant }));
  await sharing?.peek([...(past?.values() ?? [])].flatMap(({ unmet }) => unmet));
  await sharing?.refresh(tenant);
  return budgetStates(rules, { book, clock, tenant, past, isShared: sharing !== undefined });
}

function check({ holdMs, budgets, rates }: BudgetsOptions): void {
  if (!(holdMs > 0)) throw new RangeError(`holdMs must be above 0, got ${holdMs}`);
  const limits = [
    ...budgets.map(({ limitNanoUsd }) => Number(limitNanoUsd)),
    ...rates.map(({ perMinute }) => perMinute),
  ];
  for (const limit of limits) {
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`a limit must be 1 to 2^53 - 1, got ${limit}`);
  }
}
