import type { Clock } from "../../core/clock.ts";
import { type Book, type MoneyBucket, type RateBucket, uncovered } from "./book.ts";
import type { Claim } from "./claim.ts";
import type { TakenFrom } from "./holds.ts";
import { Outbox } from "./outbox.ts";
import { waitMs } from "./rate.ts";
import { budgetExceeded, rateLimited } from "./refusal.ts";
import type { Seeds } from "./seeds.ts";
import type { Removal, SharedBudgets, SharedMoney, SharedReply } from "./shared-budgets.ts";
import { MAX_SHOWN, moneyByRule } from "./states.ts";
import type { Warnings } from "./warnings.ts";

/** Asked again for buckets that must be made or replaced first; more often is a bug, and the process decides alone. */
const MAX_ROUNDS = 40;

type Decision = Extract<SharedReply, { readonly kind: "granted" | "refused" }>;

/** This process's dealings with the shared buckets. */
export class Sharing {
  readonly #shared: SharedBudgets;
  readonly #clock: Clock;
  readonly #warnings: Warnings;
  readonly #book: Book;
  readonly #seeds?: Seeds;
  /** One for each tenant that ever paid here, of which the configuration has a bounded number. */
  readonly #outboxes = new Map<string, Outbox>();

  constructor(
    shared: SharedBudgets,
    ports: { readonly clock: Clock; readonly warnings: Warnings; readonly book: Book; readonly seeds?: Seeds },
  ) {
    this.#shared = shared;
    this.#clock = ports.clock;
    this.#warnings = ports.warnings;
    this.#book = ports.book;
    if (ports.seeds) this.#seeds = ports.seeds;
  }

  /**
   * Takes a claim from the shared buckets; "unknown" where it was sent and there was no answer.
   * @throws SluiceError where they refuse.
   */
  async take(claim: Claim): Promise<TakenFrom> {
    const { payer, rates, amount, estimate, units, id } = claim;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      await Promise.all(claim.money.map(({ seed }) => seed?.soon));
      const money = [...claim.money];
      const mayCreate = (bucket: MoneyBucket) =>
        !this.#seeds || bucket.isOverflow || bucket.epoch !== "" || bucket.seed !== undefined;
      const request = { tenant: payer.tenant, money, rates, id, amount, estimate, units, mayCreate };
      const reply = await this.#shared.reserve(request);
      this.#warnings.heard(reply !== undefined && reply !== "not_sent");
      if (reply === undefined) return "unknown";
      if (reply === "not_sent") return reply;
      if (reply.kind === "missing") {
        for (const index of reply.money) this.#askBeforeMaking(money[index]);
      } else if (reply.kind === "full") {
        const tooMany = claim.money[reply.money];
        if (tooMany) {
          claim.money[reply.money] = this.#book.overflowOf(tooMany.rule, tooMany.tenant);
          this.#book.leave(tooMany);
        }
      } else {
        this.#decide(claim, reply);
        return "taken";
      }
    }
    return "not_sent";
  }

  #askBeforeMaking(bucket: MoneyBucket | undefined): void {
    if (!bucket || bucket.seed) return;
    this.#seeds?.ask(bucket, this.#clock.nowMs(), (amount) => {
      if (bucket.epoch === "") bucket.told = Math.max(bucket.told, amount);
    });
  }

  #decide(claim: Claim, { kind, refusedBy, nowMs: sharedNowMs, money, levels }: Decision): void {
    this.#warnings.clockOf(sharedNowMs);
    for (const [index, bucket] of claim.money.entries()) {
      const told = money[index];
      if (told) this.#told(bucket, told);
    }
    const nowMs = this.#clock.monotonicMs();
    for (const [index, bucket] of claim.rates.entries()) {
      bucket.level = levels[index] ?? bucket.level;
      bucket.atMs = nowMs;
    }
    if (kind === "refused") throw this.#refusal(claim, refusedBy, money);
    for (const bucket of claim.money) {
      bucket.reserved += claim.amount;
      bucket.covered += claim.amount;
    }
  }

  #refusal({ money, rates, attempt, units }: Claim, refusedBy: number, told: Decision["money"]): Error {
    const poor = money[refusedBy];
    if (poor) {
      const standing = told[refusedBy] ?? { spent: poor.told, reserved: Math.max(0, poor.reserved) };
      const own = uncovered(poor);
      const total = { spent: standing.spent + Math.max(0, poor.spent), reserved: standing.reserved };
      return budgetExceeded(poor, own > 0 ? total : standing, attempt, this.#clock);
    }
    const bucket = rates[refusedBy - money.length];
    if (!bucket) throw new Error(`the shared budgets refuse by a bucket that they were not asked for: ${refusedBy}`);
    const { perMinute } = bucket.rule.rule;
    return rateLimited(bucket, attempt.model, Math.max(1, waitMs(bucket.level, units, perMinute)));
  }

  #told(bucket: MoneyBucket, { epoch, sinceMs, spent, reserved, unpriced, isSeeded }: SharedMoney): void {
    const isNew = bucket.epoch !== epoch;
    if (isNew) bucket.covered = 0;
    bucket.epoch = epoch;
    bucket.told = spent;
    bucket.toldReserved = reserved;
    bucket.toldUnpriced = unpriced;
    this.#warnings.spent(bucket);
    if (!isNew || isSeeded || bucket.isOverflow) return;
    this.#seeds?.ask(bucket, sinceMs, (amount) => this.#outboxOf(bucket.tenant).seeded(bucket, epoch, amount));
  }

  spent(bucket: MoneyBucket, change: { spent: number; unpriced: number; removal?: Removal }): void {
    this.#outboxOf(bucket.tenant).spent(bucket, change);
  }

  corrected(bucket: RateBucket, units: number): void {
    this.#outboxOf(bucket.tenant).corrected(bucket, units);
  }

  /** A claim that may have been reserved is not needed. */
  giveBack({ money, id, amount, estimate }: Claim): void {
    for (const bucket of money)
      this.spent(bucket, { spent: 0, unpriced: 0, removal: { id, amount, estimate, epoch: "" } });
  }

  /** Learns how the fullest buckets stand now. */
  async refresh(tenant: string | undefined): Promise<void> {
    const fullest = [...moneyByRule(this.#book, tenant, this.#clock).values()];
    await this.#look(
      fullest.flatMap((buckets) => buckets.slice(0, MAX_SHOWN)),
      (bucket, told) => this.#told(bucket, told),
    );
  }

  /** Learns how buckets stand that are in no book, and hold what the ledger says. Nothing is logged, asked or kept. */
  async peek(unmet: readonly MoneyBucket[]): Promise<void> {
    await this.#look(unmet, (bucket, { spent, reserved, unpriced, isSeeded }) => {
      // One that was made without the ledger's word counts from then on only.
      bucket.told = isSeeded ? spent : Math.max(bucket.told, spent);
      bucket.toldReserved = reserved;
      bucket.toldUnpriced = unpriced;
    });
  }

  async #look(wanted: readonly MoneyBucket[], learn: (bucket: MoneyBucket, told: SharedMoney) => void): Promise<void> {
    await Promise.all(
      [...Map.groupBy(wanted, ({ tenant }) => tenant)].map(async ([owner, buckets]) => {
        const told = await this.#shared.look(owner, buckets);
        for (const [index, bucket] of buckets.entries()) {
          const now = told?.[index];
          if (now) learn(bucket, now);
        }
      }),
    );
  }

  /** Tells what is left, as far as Redis answers. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#outboxes.values()].map(async (outbox) => {
        await outbox.flush();
        outbox.close();
      }),
    );
    await this.#shared.close();
  }

  #outboxOf(tenant: string): Outbox {
    const known = this.#outboxes.get(tenant);
    if (known) return known;
    const onTold = (bucket: MoneyBucket, told: SharedMoney) => {
      this.#warnings.heard(true);
      this.#told(bucket, told);
    };
    const outbox = new Outbox(tenant, { shared: this.#shared, clock: this.#clock, onTold });
    this.#outboxes.set(tenant, outbox);
    return outbox;
  }
}
