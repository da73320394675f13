import { type Random, seeded, zipf } from "../replay/random.ts";
import { type Alias, type WeekFeature, type WeekTenant, weekFeatures, weekTenants } from "./cast.ts";

/** What the provider does with the requests of a question, and the caller with the call. */
export type Kind =
  /** Answered at once. */
  | "plain"
  /** The first request fails with a status, the next one is answered. */
  | "retry"
  /** The first answer breaks off, the next one is whole. */
  | "cut"
  /** The model is down: a fallback answers, or nobody. */
  | "down"
  /** The first answer breaks the schema. */
  | "correction"
  /** All answers break the schema. */
  | "hopeless"
  /** The provider's filter refuses the prompt. */
  | "filtered"
  /** Answered, but without token counts. */
  | "silent"
  /** The answer stalls, and the caller of the stream leaves. */
  | "left_stream"
  /** The answer stalls, and the caller of the unary call leaves. */
  | "left_unary"
  /** Asks for an answer of the cache alone; there is none. */
  | "only_cached"
  /** Sent twice at once with one idempotency key. */
  | "keyed";

export interface Question {
  readonly id: string;
  readonly kind: Kind;
  readonly isJson: boolean;
}

export interface PlannedCall {
  readonly number: number;
  readonly question: Question;
  readonly tenant: WeekTenant;
  readonly feature: WeekFeature;
  readonly user: string;
  readonly model: Alias;
  /** Empty where it sends messages. */
  readonly promptVersion: string;
  readonly isStream: boolean;
  /** Stored nowhere and found nowhere. */
  readonly isBypass: boolean;
}

/** Calls of one moment of the week. */
export interface Tick {
  readonly atMs: number;
  readonly calls: readonly PlannedCall[];
}

export const TICKS_PER_HOUR = 4;
const TICK_MS = 3_600_000 / TICKS_PER_HOUR;
const TICKS = 7 * 24 * TICKS_PER_HOUR;

/** Shares of calls by what happens to them; the rest asks what others ask too. */
const shares: readonly (readonly [Kind, number])[] = [
  ["plain", 0.36],
  ["retry", 0.02],
  ["cut", 0.01],
  ["down", 0.012],
  ["correction", 0.015],
  ["hopeless", 0.003],
  ["filtered", 0.004],
  ["silent", 0.01],
  ["left_stream", 0.008],
  ["left_unary", 0.004],
  ["only_cached", 0.004],
  ["keyed", 0.004],
];

/** How often several calls of one user ask the same at once. */
const CROWD_SHARE = 0.01;
/** How busy each hour is, and how quiet a weekend. */
const hours = [2, 1, 1, 1, 1, 2, 5, 12, 24, 34, 38, 34, 24, 28, 36, 34, 28, 20, 14, 11, 9, 7, 5, 3];
const WEEKEND = 0.4;

/** Exactly `calls` calls of a week, which begins on a Monday as far as its load goes. The same seed makes the same week. */
export function planWeek(calls: number, seed: number): readonly Tick[] {
  const random = seeded(seed);
  const drawTick = weighted(tickWeights(), random);
  const draw = callDrawer(calls, random);
  const ticks = Array.from({ length: TICKS }, (): PlannedCall[] => []);
  for (let left = calls; left > 0; ) {
    const drawn = draw().slice(0, left);
    ticks[drawTick()]?.push(...drawn);
    left -= drawn.length;
  }
  return ticks.map((planned, index) => ({ atMs: index * TICK_MS, calls: planned }));
}

function tickWeights(): number[] {
  return Array.from({ length: TICKS }, (_, tick) => {
    const hour = Math.floor(tick / TICKS_PER_HOUR);
    const isWeekend = Math.floor(hour / 24) >= 5;
    return (hours[hour % 24] ?? 0) * (isWeekend ? WEEKEND : 1);
  });
}

/** Draws a call, or the few that belong together. */
function callDrawer(calls: number, random: Random): () => PlannedCall[] {
  const feature = weighted(
    weekFeatures.map(({ weight }) => weight),
    random,
  );
  const users = weekTenants.map((tenant) => zipf(tenant.users.length, 0.5, random));
  const common = zipf(Math.max(5, Math.ceil(calls / 200)), 0.9, random);
  let number = 0;
  return () => {
    const of = weekFeatures[feature()] ?? weekFeatures[0];
    const tenantIndex = random() < 0.7 ? 0 : 1;
    const tenant = weekTenants[tenantIndex];
    if (!of || !tenant) throw new Error("a week without features or tenants");
    const kind = kindFor(of, random());
    const version = of.versions[Math.floor(random() * of.versions.length)] ?? "";
    const name = kind ? `once-${number}` : String(common());
    const base = {
      question: {
        id: `${tenant.name}-${of.name}-${version}-${name}`,
        kind: kind ?? ("plain" as const),
        isJson: of.isJson,
      },
      tenant,
      feature: of,
      user: tenant.users[users[tenantIndex]?.() ?? 0] ?? "",
      model: modelFor(of, kind),
      promptVersion: version,
      isStream: kind === "left_stream" || (kind !== "left_unary" && random() < 0.5),
      isBypass: kind !== undefined && kind !== "only_cached" && random() < 0.2,
    };
    const size = kind === "keyed" ? 2 : kind === undefined && random() < CROWD_SHARE ? 4 : 1;
    return Array.from({ length: size }, () => {
      number += 1;
      return { ...base, number };
    });
  };
}

/** Undefined: a question that others ask too. What a feature cannot meet is asked as if nothing happened to it. */
function kindFor(feature: WeekFeature, lot: number): Kind | undefined {
  let sum = 0;
  const kind = shares.find(([, share]) => {
    sum += share;
    return lot < sum;
  })?.[0];
  const needsJson = kind === "correction" || kind === "hopeless";
  const needsText = kind === "silent" || kind === "left_stream" || kind === "left_unary" || kind === "cut";
  const isImpossible = (needsJson && !feature.isJson) || (needsText && feature.isJson);
  return isImpossible ? "plain" : kind;
}

function modelFor(feature: WeekFeature, kind: Kind | undefined): Alias {
  if (kind !== "down") return feature.model;
  return feature.name === "support" ? "broken" : "shaky";
}

function weighted(weights: readonly number[], random: Random): () => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return () => {
    let lot = random() * total;
    const index = weights.findIndex((weight) => {
      lot -= weight;
      return lot < 0;
    });
    return index === -1 ? weights.length - 1 : index;
  };
}
