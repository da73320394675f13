import type { UpstreamErrorFields } from "../../core/model.ts";

/** The window of every sandbox model, and most tokens of an answer: large enough for the examples, small enough to hit. */
export const CONTEXT_TOKENS = 32_768;
export const MAX_OUTPUT_TOKENS = 4_096;

export type AnswerKind = "extract" | "echo" | "endless" | "malformed-json" | "wrong-shape";

/** What happens in one attempt. */
export type Scene =
  /** The whole answer. */
  | { readonly answer: AnswerKind }
  /** So many deltas of the answer, then the failure; none is a failure before the answer began. */
  | { readonly failsAfterDeltas: number; readonly error: UpstreamErrorFields }
  /** So many deltas of the answer, then nothing until a time limit of the attempt is over. */
  | { readonly silentAfterDeltas: number };

export interface Behaviour {
  readonly name: string;
  readonly description: string;
  /** What the attempts of a call meet, in order; the last scene stands for all later ones. */
  readonly attempts: readonly [Scene, ...Scene[]];
  /** Milliseconds between two words. Default: the sandbox's. */
  readonly paceMs?: number;
}

const GOOD: Scene = { answer: "extract" };
const CUT: Scene = { failsAfterDeltas: 2, error: { kind: "stream_interrupted", httpStatus: 200 } };

function refused(error: UpstreamErrorFields): Scene {
  return { failsAfterDeltas: 0, error };
}

/** Every sandbox model. The names are part of the product: docs/sandbox.md lists them, and a test compares. */
export const behaviours: readonly Behaviour[] = [
  {
    name: "sandbox/extract",
    description: "Answers by quoting the context or the prompt, and fills JSON schemas from what the text says.",
    attempts: [GOOD],
  },
  {
    name: "sandbox/echo",
    description: "Answers with the last user message.",
    attempts: [{ answer: "echo" }],
  },
  {
    name: "sandbox/slow",
    description: "Answers like sandbox/extract, one word every 200 ms.",
    attempts: [GOOD],
    paceMs: 200,
  },
  {
    name: "sandbox/long",
    description: "Writes until it runs into its number of output tokens.",
    attempts: [{ answer: "endless" }],
    paceMs: 0,
  },
  {
    name: "sandbox/bad-json-once",
    description: "Breaks off inside its JSON on the first attempt of a call, then answers like sandbox/extract.",
    attempts: [{ answer: "malformed-json" }, GOOD],
  },
  {
    name: "sandbox/bad-json",
    description: "Always breaks off inside its JSON.",
    attempts: [{ answer: "malformed-json" }],
  },
  {
    name: "sandbox/wrong-shape-once",
    description:
      "Answers with JSON that breaks the schema on the first attempt of a call; corrected, it answers like sandbox/extract.",
    attempts: [{ answer: "wrong-shape" }, GOOD],
  },
  {
    name: "sandbox/wrong-shape",
    description: "Answers with JSON that breaks the schema, corrected or not.",
    attempts: [{ answer: "wrong-shape" }],
  },
  {
    name: "sandbox/rate-limited-once",
    description: "Asks for a wait of 300 ms on the first attempt of a call, then answers like sandbox/extract.",
    attempts: [refused({ kind: "rate_limited", httpStatus: 429, waitMs: 300, unit: "requests", limit: 10 }), GOOD],
  },
  {
    name: "sandbox/rate-limited",
    description: "Always asks for a wait of 60 s.",
    attempts: [refused({ kind: "rate_limited", httpStatus: 429, waitMs: 60_000, unit: "requests", limit: 10 })],
  },
  {
    name: "sandbox/request-too-large",
    description: "Finds every request larger than its whole rate window.",
    attempts: [
      refused({ kind: "exceeds_rate_window", httpStatus: 429, unit: "tokens", limit: 1_000, requested: 1_500 }),
    ],
  },
  {
    name: "sandbox/quota",
    description: "Its credits are used up.",
    attempts: [refused({ kind: "quota_exhausted", httpStatus: 429 })],
  },
  {
    name: "sandbox/overflow-once",
    description: "Finds the prompt too long on the first attempt of a call, then answers like sandbox/extract.",
    attempts: [refused({ kind: "context_overflow", httpStatus: 400 }), GOOD],
  },
  {
    name: "sandbox/overflow",
    description: "Finds every prompt too long for its window.",
    attempts: [refused({ kind: "context_overflow", httpStatus: 400 })],
  },
  {
    name: "sandbox/filtered-input",
    description: "Its content filter refuses every prompt.",
    attempts: [refused({ kind: "content_filtered_input", httpStatus: 400, category: "sandbox" })],
  },
  {
    name: "sandbox/filtered-output",
    description: "Its content filter stops every answer after two words.",
    attempts: [
      { failsAfterDeltas: 2, error: { kind: "content_filtered_output", httpStatus: 200, category: "sandbox" } },
    ],
  },
  {
    name: "sandbox/unauthorized",
    description: "Refuses the provider's API key.",
    attempts: [refused({ kind: "auth_invalid", httpStatus: 401 })],
  },
  {
    name: "sandbox/model-missing",
    description: "The provider does not know the model.",
    attempts: [refused({ kind: "model_not_found", httpStatus: 404 })],
  },
  {
    name: "sandbox/down",
    description: "Always answers with HTTP 503.",
    attempts: [refused({ kind: "overloaded", httpStatus: 503 })],
  },
  {
    name: "sandbox/silent",
    description: "Never sends anything, until the time for the first byte is over.",
    attempts: [{ silentAfterDeltas: 0 }],
  },
  {
    name: "sandbox/stalls",
    description: "Sends two words and then nothing, until the time between two pieces is over.",
    attempts: [{ silentAfterDeltas: 2 }],
  },
  {
    name: "sandbox/cut-once",
    description: "Its connection breaks after two words on the first attempt of a call, then it answers normally.",
    attempts: [CUT, GOOD],
  },
  {
    name: "sandbox/cut",
    description: "Its connection always breaks after two words.",
    attempts: [CUT],
  },
];
