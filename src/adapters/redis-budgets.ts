import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { type MoneyBucket, uncovered } from "./memory-budgets/book.ts";
import { isBounded } from "./memory-budgets/rules.ts";
import type { Batch, SharedBudgets, SharedMoney, SharedReply, SharedRequest } from "./memory-budgets/shared-budgets.ts";
import { moneyKeys, rateKey, sequenceKey } from "./redis-budgets/keys.ts";
import { RESERVE, type Script, SETTLE } from "./redis-budgets/scripts.ts";
import { createOperations } from "./redis-cache/operations.ts";
import { isReplyError } from "./redis-cache/reply-error.ts";

/** Names with a bucket of their own, for each budget, tenant and period; those that the configuration bounds apart. */
const MAX_NAMES = 20_000;
/** Buckets are kept after their period for attempts that end late, and for processes that could not tell it sooner. */
const KEPT_MS = 172_800_000;

export interface RedisBudgetsOptions {
  /** `redis://` or `rediss://`. Never logged. */
  readonly url: string;
  /** What one operation may take, in milliseconds; a slower one is given up. */
  readonly timeoutMs: number;
  /** How long a reservation is held whose end is never told, in milliseconds. */
  readonly holdMs: number;
  readonly log: Log;
  readonly clock: Clock;
  /** Default: 20,000. */
  readonly maxNames?: number;
}

/** Buckets in Redis. It connects in the background, and nothing about it ever fails a call. */
export function createRedisBudgets(options: RedisBudgetsOptions): SharedBudgets {
  const { holdMs, maxNames = MAX_NAMES } = options;
  const operations = createOperations(options);
  const process = randomUUID();

  return {
    async reserve(request) {
      if (!operations.wouldAsk()) return "not_sent";
      const keys = [...request.money.flatMap(moneyKeys), ...request.rates.map(rateKey)];
      const args = reserveArguments(request, holdMs, maxNames);
      const reply = await operations.ask("reserve", (redis) => run(redis, RESERVE, keys, args));
      return reply && readReply(reply, request);
    },
    async settle(batch) {
      const buckets = batch.money.map(({ bucket }) => bucket);
      const keys = [
        sequenceKey(batch.tenant, process),
        ...buckets.flatMap(moneyKeys),
        ...batch.rates.map(({ bucket }) => rateKey(bucket)),
      ];
      const reply = await operations.ask("settle", (redis) => run(redis, SETTLE, keys, settleArguments(batch)));
      return reply?.map(readMoney);
    },
    async look(_tenant, money) {
      const fields = ["epoch", "spent", "seed", "reserved", "unpriced", "seeded"] as const;
      const reply = await operations.ask("look", (redis) =>
        Promise.all(money.map((bucket) => redis.hmget(moneyKeys(bucket)[0], ...fields))),
      );
      return reply?.map(([epoch, spent, seed, reserved, unpriced, seeded]) =>
        epoch
          ? readMoney([epoch, String(Number(spent ?? 0) + Number(seed ?? 0)), reserved, unpriced ?? "0", seeded])
          : undefined,
      );
    },
    close: () => operations.close(),
  };
}

/**
 * Scripts go by their hash: they are long, and every attempt needs one. Not by the client's own means for that: where a
 * script is not there yet, its automatic pipelines lose count of their replies.
 */
async function run(redis: Redis, { lua, sha }: Script, keys: string[], args: (string | number)[]): Promise<unknown[]> {
  try {
    return list(await redis.evalsha(sha, keys.length, ...keys, ...args));
  } catch (error) {
    if (!isReplyError(error, "NOSCRIPT")) throw error;
    return list(await redis.eval(lua, keys.length, ...keys, ...args));
  }
}

function keptUntilMs({ period }: MoneyBucket): number {
  return period.endMs + KEPT_MS;
}

/** Whether its name is one of a bounded number. */
function counts({ isOverflow, rule }: MoneyBucket): 0 | 1 {
  return isOverflow || isBounded(rule) ? 0 : 1;
}

/** The name of a reservation says what it counts as, so that Redis can forget it by itself. */
function member({ id, amount, estimate }: { id: string; amount: number; estimate: number }): string {
  return `${id}|${amount}|${estimate}`;
}

function reserveArguments(request: SharedRequest, holdMs: number, maxNames: number): (string | number)[] {
  const { money, rates, amount, units } = request;
  return [
    ...[money.length, member(request), amount, Math.ceil(holdMs), units, maxNames],
    ...money.flatMap((bucket) => [
      bucket.rule.rule.soft ? -1 : bucket.limit,
      ...[bucket.told, bucket.epoch, uncovered(bucket)],
      ...[request.mayCreate(bucket) ? 1 : 0, counts(bucket), keptUntilMs(bucket)],
    ]),
    ...rates.map(({ rule }) => rule.rule.perMinute),
  ];
}

function settleArguments({ sequence, money, rates }: Batch): (string | number)[] {
  return [
    ...[sequence, KEPT_MS, money.length],
    ...money.flatMap(({ bucket, spent, unpriced, seed, removals }) => [
      ...[bucket.told, bucket.epoch, keptUntilMs(bucket), counts(bucket), spent, unpriced],
      ...[seed?.epoch ?? "", seed?.amount ?? 0, removals.length],
      ...removals.flatMap((removal) => [member(removal), removal.epoch]),
    ]),
    ...rates.flatMap(({ bucket, units }) => [bucket.rule.rule.perMinute, units]),
  ];
}

function readReply([kind, ...rest]: readonly unknown[], { money }: SharedRequest): SharedReply {
  if (kind === "missing") return { kind, money: rest.map(Number) };
  if (kind === "full") return { kind, money: Number(rest[0]) };
  if (kind !== "granted" && kind !== "refused") throw new Error("Redis answers what the script does not");
  const [refusedBy, nowMs, ...states] = rest;
  return {
    kind,
    refusedBy: Number(refusedBy),
    nowMs: Number(nowMs),
    money: states.slice(0, money.length).map((state) => (list(state)[0] === "" ? undefined : readMoney(state))),
    levels: states.slice(money.length).map(Number),
  };
}

function readMoney(state: unknown): SharedMoney {
  const [epoch, spent, reserved, unpriced, seeded] = list(state).map((value) => String(value ?? "0"));
  const [seconds, micros] = (epoch ?? "").split("-").map(Number);
  return {
    epoch: epoch ?? "",
    sinceMs: (seconds ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000),
    spent: Math.min(Number(spent), Number.MAX_SAFE_INTEGER),
    reserved: Number(reserved),
    unpriced: Number(unpriced),
    isSeeded: seeded === "1",
  };
}

function list(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new Error("Redis answers what the script does not");
  return reply;
}
