import { CacheStatus } from "../gen/sluice/v1/completion_pb.ts";
import { findProgram } from "../test/support/programs.ts";
import { startRedis } from "../test/support/redis-server.ts";
import type { Benchmark, Counts, Effort } from "./benchmark.ts";
import { features } from "./replay/features.ts";
import { isHit, type Played, playDay, ttlSeconds } from "./replay/play.ts";
import { type Possible, possible } from "./replay/possible.ts";
import { startService } from "./replay/service.ts";
import { type CacheCounts, cacheCounts } from "./replay/status.ts";
import { DAY_MS, type TrafficCall, trafficOfDay } from "./replay/traffic.ts";

const SEED = 6;
const PROCESSES = 2;
const NANO_USD_OF_A_CENT = 1e7;
const efforts = {
  full: { calls: 12_000, dayMs: 96_000 },
  quick: { calls: 240, dayMs: 1_500 },
} satisfies Record<Effort, { calls: number; dayMs: number }>;

/** Memory that holds all answers of the day, and memory that holds some of them. */
const AMPLE_MB = 256;
const SMALL_MB = 1;

/** A day of traffic in a minute and a half, through the whole service: what is hit and saved of what could be. */
export const replay: Benchmark = {
  name: "replay",
  measure: async (effort) => {
    const program = findProgram("redis-server");
    const stores: Pick<Setting, "name" | "redis">[] = [
      ...(program ? [{ name: "with Redis", redis: program }] : []),
      { name: "without Redis" },
    ];
    const settings = stores.flatMap((store): Setting[] => [
      { ...store, memoryMb: AMPLE_MB },
      ...(effort === "full" ? [{ ...store, name: `${store.name}, little memory`, memoryMb: SMALL_MB }] : []),
    ]);
    const days: Day[] = [];
    for (const setting of settings) days.push(await measureDay(setting, effort));
    const [first] = days;
    return [daysSection(days, effort), ...(first ? [featuresSection(first, efforts[effort].dayMs)] : [])];
  },
};

interface Setting {
  readonly name: string;
  readonly memoryMb: number;
  /** The program, where the processes share one. */
  readonly redis?: string;
}

interface Day {
  readonly name: string;
  readonly played: readonly Played[];
  readonly possible: Possible;
  readonly latestMs: number;
  readonly counts: CacheCounts;
}

async function measureDay({ name, memoryMb, redis: program }: Setting, effort: Effort): Promise<Day> {
  const { calls, dayMs } = efforts[effort];
  const traffic = trafficOfDay(calls, SEED);
  const redis = program === undefined ? undefined : await startRedis(program);
  try {
    const service = await startService({ processes: PROCESSES, memoryMb, redisUrl: redis?.url });
    try {
      const { played, latestMs } = await playDay(service, traffic, dayMs);
      const cost = sumOf(played, ({ costNanoUsd }) => costNanoUsd);
      const paid = service.paid().costNanoUsd;
      if (cost !== paid) throw new Error(`the service says it cost ${cost} nano-USD, the model was paid ${paid}`);
      return { name, played, latestMs, possible: possibleOf(traffic, dayMs), counts: await cacheCounts(service) };
    } finally {
      await service.stop();
    }
  } finally {
    await redis?.stop();
  }
}

function possibleOf(traffic: readonly TrafficCall[], dayMs: number): Possible {
  const scale = dayMs / DAY_MS;
  const scaled = traffic.map((call) => ({ ...call, atMs: call.atMs * scale }));
  return possible(scaled, (call) => ttlSeconds(call, dayMs) * 1_000);
}

const columns = ["", "calls", "failed", "memory", "shared", "joined", "hits %", "possible %"];
const money = ["cost ¢", "saved ¢", "possible ¢", "saved / possible %"];

function daysSection(days: readonly Day[], effort: Effort): Counts {
  const { dayMs } = efforts[effort];
  const latestMs = Math.max(...days.map((day) => day.latestMs));
  return {
    kind: "counts",
    title: "a day of traffic over two processes",
    remark:
      `${Math.round(DAY_MS / dayMs)} times as fast, TTLs too, on a made-up product and a scripted model: the shares are of this traffic, not of ` +
      `yours. Possible is every distinct question paid once for each TTL. The load was behind its time by at most ${Math.round(latestMs)} ms.`,
    columns: [...columns, ...money, "evictions", "no answer from Redis"],
    rows: days.map(({ name, played, possible: best, counts }) => [
      name,
      ...shares(played, best),
      counts.evictions,
      counts.unknown,
    ]),
  };
}

function featuresSection(day: Day, dayMs: number): Counts {
  const rows = features.map((feature) => {
    const played = day.played.filter(({ call }) => call.feature === feature);
    return [
      feature.name,
      ...shares(
        played,
        possibleOf(
          played.map(({ call }) => call),
          dayMs,
        ),
      ),
    ];
  });
  const remark = `Their catalogues of inputs, Zipf exponents and shares of inputs that never come again are in bench/replay/features.ts.`;
  return { kind: "counts", title: `by feature, ${day.name}`, remark, columns: [...columns, ...money], rows };
}

function shares(played: readonly Played[], best: Possible): (string | number)[] {
  const count = (status: CacheStatus | undefined) => played.filter((one) => one.status === status).length;
  const saved = sumOf(played, ({ savedNanoUsd }) => savedNanoUsd);
  return [
    played.length,
    count(undefined),
    count(CacheStatus.MEMORY_HIT),
    count(CacheStatus.SHARED_HIT),
    count(CacheStatus.JOINED),
    (100 * played.filter(isHit).length) / played.length,
    (100 * best.hits) / best.calls,
    sumOf(played, ({ costNanoUsd }) => costNanoUsd) / NANO_USD_OF_A_CENT,
    saved / NANO_USD_OF_A_CENT,
    best.savedNanoUsd / NANO_USD_OF_A_CENT,
    best.savedNanoUsd > 0 ? (100 * saved) / best.savedNanoUsd : "",
  ];
}

function sumOf(played: readonly Played[], pick: (one: Played) => number): number {
  return played.reduce((sum, one) => sum + pick(one), 0);
}
