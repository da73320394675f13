/** How a feature of a product asks. */
export interface Feature {
  readonly name: string;
  readonly system: string;
  /** Its share of all calls. */
  readonly share: number;
  /** How many inputs come again and again, and how steeply the frequent ones lead (Zipf). */
  readonly inputs: number;
  readonly exponent: number;
  /** The share of its calls with an input that never comes again. */
  readonly unique: number;
  readonly ttlHours: number;
  readonly model: ModelName;
  /** The middle of its answers' lengths, in tokens; the longest are some ten times as long. */
  readonly answerTokens: number;
  readonly inputTokens: number;
  /** The shares of its calls that ask for a new answer in place of the stored one, and that want no cache at all. */
  readonly refresh: number;
  readonly bypass: number;
  readonly streams: boolean;
  /** How often in a day many ask the same at once, and how many. */
  readonly bursts?: { readonly count: number; readonly calls: number };
}

export type ModelName = keyof typeof models;

/** Prices in nano-USD for a token. */
export const models = {
  small: { promptNanoUsd: 150, completionNanoUsd: 600 },
  large: { promptNanoUsd: 2_500, completionNanoUsd: 10_000 },
} as const;

/** A made-up product: none of its figures is anybody's. */
export const features: readonly Feature[] = [
  {
    name: "product-questions",
    system: "Answer the customer's question about the product in two sentences.",
    share: 0.3,
    inputs: 800,
    exponent: 1.1,
    unique: 0.1,
    ttlHours: 24,
    model: "small",
    answerTokens: 90,
    inputTokens: 60,
    refresh: 0.005,
    bypass: 0,
    streams: true,
    bursts: { count: 6, calls: 40 },
  },
  {
    name: "ticket-routing",
    system: "Name the team that this ticket belongs to.",
    share: 0.25,
    inputs: 4_000,
    exponent: 0.7,
    unique: 0.55,
    ttlHours: 24,
    model: "small",
    answerTokens: 8,
    inputTokens: 220,
    refresh: 0,
    bypass: 0,
    streams: false,
  },
  {
    name: "document-summary",
    system: "Summarize the document for a reader in a hurry.",
    share: 0.15,
    inputs: 1_200,
    exponent: 0.9,
    unique: 0.3,
    ttlHours: 24,
    model: "large",
    answerTokens: 320,
    inputTokens: 1_500,
    refresh: 0.02,
    bypass: 0.01,
    streams: true,
  },
  {
    name: "status-report",
    system: "Tell the team what happened since the last report.",
    share: 0.1,
    inputs: 40,
    exponent: 0.6,
    unique: 0,
    ttlHours: 1,
    model: "large",
    answerTokens: 250,
    inputTokens: 900,
    refresh: 0.01,
    bypass: 0,
    streams: false,
    bursts: { count: 10, calls: 60 },
  },
  {
    name: "assistant",
    system: "You help the user with their work.",
    share: 0.2,
    inputs: 150,
    exponent: 1,
    unique: 0.9,
    ttlHours: 24,
    model: "large",
    answerTokens: 180,
    inputTokens: 700,
    refresh: 0,
    bypass: 0.05,
    streams: true,
  },
];
