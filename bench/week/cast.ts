/** USD per million tokens as decimal text, USD per thousand requests for the fee. */
export interface WeekPrice {
  readonly prompt: string;
  readonly cached: string;
  readonly written?: string;
  readonly completion: string;
  readonly reasoning?: string;
  readonly fee?: string;
  /** What holds for all tokens of a request whose prompt is longer. */
  readonly long?: { readonly abovePromptTokens: number } & Omit<WeekPrice, "long" | "fee">;
}

/** A model of the week by its alias. Prices are such that many attempts end on a fraction of a nano-USD, halves among them. */
export interface WeekModel {
  readonly alias: string;
  readonly providerModel: string;
  /** Absent: nobody knows. */
  readonly price?: WeekPrice;
  readonly fallbacks?: readonly string[];
}

export const weekModels = [
  { alias: "small", providerModel: "week-small", price: { prompt: "0.1005", cached: "0.02513", completion: "0.4015" } },
  {
    alias: "large",
    providerModel: "week-large",
    price: { prompt: "1.2345", cached: "0.12345", written: "1.543125", completion: "9.87654321" },
  },
  {
    alias: "thinker",
    providerModel: "week-thinker",
    price: {
      prompt: "2.5",
      cached: "0.625",
      completion: "10.0001",
      reasoning: "12.3456789",
      fee: "0.75",
      long: { abovePromptTokens: 3_000, prompt: "5.000000005", cached: "1.25", completion: "20.0003" },
    },
  },
  { alias: "mystery", providerModel: "week-mystery" },
  {
    alias: "shaky",
    providerModel: "week-shaky",
    price: { prompt: "0.7777", cached: "0.07777", completion: "3.1415" },
    fallbacks: ["small"],
  },
  { alias: "broken", providerModel: "week-broken", price: { prompt: "1", cached: "1", completion: "1" } },
] as const satisfies readonly WeekModel[];

export type Alias = (typeof weekModels)[number]["alias"];

export interface WeekFeature {
  readonly name: string;
  /** How much it is used. */
  readonly weight: number;
  readonly model: Alias;
  /** Versions of its prompt file; none where it sends messages. */
  readonly versions: readonly string[];
  readonly isJson: boolean;
}

/** A made-up product of twelve features. */
export const weekFeatures: readonly WeekFeature[] = [
  { name: "support", weight: 24, model: "small", versions: ["v1", "v2"], isJson: false },
  { name: "search", weight: 18, model: "small", versions: ["v1"], isJson: false },
  { name: "routing", weight: 14, model: "small", versions: ["v1"], isJson: true },
  { name: "summaries", weight: 10, model: "large", versions: ["v1", "v2"], isJson: false },
  { name: "drafts", weight: 8, model: "large", versions: [], isJson: false },
  { name: "extraction", weight: 7, model: "large", versions: ["v1"], isJson: true },
  { name: "research", weight: 5, model: "thinker", versions: [], isJson: false },
  { name: "planning", weight: 4, model: "thinker", versions: ["v1"], isJson: false },
  { name: "translation", weight: 4, model: "shaky", versions: ["v1"], isJson: false },
  { name: "moderation", weight: 3, model: "small", versions: [], isJson: true },
  { name: "experiment", weight: 2, model: "mystery", versions: [], isJson: false },
  { name: "reports", weight: 1, model: "thinker", versions: ["v1"], isJson: false },
];

export interface WeekTenant {
  readonly name: string;
  /** The API key; a made-up one that only this load uses. */
  readonly key: string;
  readonly isAdmin: boolean;
  readonly users: readonly string[];
}

/** 300 users; two in three belong to the first tenant, whose key may see both. */
export const weekTenants: readonly WeekTenant[] = [
  { name: "north", key: "week-key-of-north", isAdmin: true, users: userNames(0, 200) },
  { name: "south", key: "week-key-of-south", isAdmin: false, users: userNames(200, 300) },
];

function userNames(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `user-${String(from + index).padStart(3, "0")}`);
}
