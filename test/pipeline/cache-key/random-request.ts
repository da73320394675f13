import { Overflow, ReasoningEffort } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../../gen/sluice/v1/message_pb.ts";
import { randomSchema } from "../../support/random-schema.ts";
import { pick } from "../parse/random.ts";
import type { Init } from "./keys-of.ts";
import { type Json, jsonOf, type Random, randomObject, shuffled, spellJson, structOf } from "./random-json.ts";

/** What a request means, apart from how it is spelled. Texts are composed. */
export interface Meaning {
  messages: { role: Role; text: string }[];
  /** Instead of messages. */
  prompt: { name: string; version: string; text: string; doc: Json } | undefined;
  /** Undefined for text. */
  schema: Json | undefined;
  checks: { rule: string; message: string }[];
  chunks: { id: string; text: string; score?: number }[];
  generation: {
    temperature?: number;
    topP?: number;
    maxOutputTokens?: number;
    seed?: bigint;
    presencePenalty?: number;
    frequencyPenalty?: number;
    reasoningEffort?: ReasoningEffort;
  };
  stop: string[];
  model: string;
  mayTruncate: boolean;
}

const PIECES = [
  "\u00fcber",
  "Vi\u1ec7t",
  "\ud55c\uad6d",
  "\u304c",
  "plain words",
  " ",
  "\n",
  '"',
  "\\",
  "\u{1f980}",
  "5 \u212b",
] as const;

export function randomText(random: Random): string {
  return `t${Array.from({ length: Math.floor(random() * 5) }, () => pick(random, PIECES)).join("")}`;
}

export function randomMeaning(random: Random): Meaning {
  const text = () => randomText(random);
  const some = <T>(share: number, make: () => T): T[] => (random() < share ? [make()] : []);
  const hasPrompt = random() < 0.5;
  return {
    messages: hasPrompt
      ? []
      : [{ role: Role.USER, text: text() }, ...some(0.5, () => ({ role: Role.USER, text: text() }))],
    prompt: hasPrompt ? { name: "show", version: "v2", text: text(), doc: randomObject(random, text) } : undefined,
    schema: random() < 0.4 ? jsonOf(randomSchema(random).schema) : undefined,
    checks: some(0.2, () => ({ rule: text(), message: text() })),
    chunks: some(0.3, () => [
      { id: "a", text: text() },
      ...some(0.5, () => ({ id: "b", text: text(), score: 0 })),
    ]).flat(),
    generation: {
      ...(random() < 0.3 && { temperature: 0 }),
      ...(random() < 0.3 && { presencePenalty: 0 }),
      ...(random() < 0.2 && { maxOutputTokens: 50 }),
      ...(random() < 0.2 && { seed: 7n }),
      ...(random() < 0.2 && { reasoningEffort: ReasoningEffort.LOW }),
    },
    stop: random() < 0.3 ? [".", "\u00fc"] : [],
    model: "fast",
    mayTruncate: random() < 0.8,
  };
}

/** Whether the texts are compared with something byte by byte. */
export function isCompared({ checks, chunks }: Meaning): boolean {
  return checks.length + chunks.length > 0;
}

/** One of the requests that mean this. */
export function spell(meaning: Meaning, random: Random, asWritten = false): Init {
  const decompose = (text: string) => (isCompared(meaning) || asWritten ? text : decomposedHere(text, random));
  const { prompt, stop, chunks } = meaning;
  return {
    ...(prompt
      ? { prompt: spellPrompt(prompt, random, decompose) }
      : {
          messages: meaning.messages.map(({ role, text }) => ({
            role,
            content: inParts(decompose(text), random).map((value) => ({ content: { case: "text" as const, value } })),
          })),
        }),
    model: meaning.model === "fast" ? pick(random, ["", "fast"]) : meaning.model,
    ...spellOutput(meaning, random),
    ...((chunks.length || random() < 0.5) && {
      context: { chunks: chunks.map((chunk) => ({ ...chunk, ...(chunk.score === 0 && { score: zero(random) }) })) },
    }),
    generation: {
      ...meaning.generation,
      ...(meaning.generation.temperature === 0 && { temperature: zero(random) }),
      ...(meaning.generation.presencePenalty === 0 && { presencePenalty: zero(random) }),
      stop: shuffled(stop.length && random() < 0.5 ? [...stop, ...stop].slice(0, 4) : stop, random),
    },
    overflow: meaning.mayTruncate ? pick(random, [Overflow.UNSPECIFIED, Overflow.TRUNCATE]) : Overflow.REJECT,
    ...(random() < 0.5 && { attribution: { feature: String(random()) }, cache: { ttlSeconds: 5 } }),
  };
}

function zero(random: Random): number {
  return random() < 0.5 ? 0 : -0;
}

/** Some of the letters with their marks behind them. What stands for another single character stays. */
function decomposedHere(text: string, random: Random): string {
  return [...text].map((letter) => (letter === "\u212b" || random() < 0.5 ? letter : letter.normalize("NFD"))).join("");
}

function inParts(text: string, random: Random): string[] {
  const letters = [...text];
  const cut = Math.floor(random() * letters.length);
  return cut ? [letters.slice(0, cut).join(""), letters.slice(cut).join("")] : [text];
}

function spellPrompt(
  { name, version, text, doc }: NonNullable<Meaning["prompt"]>,
  random: Random,
  decompose: (text: string) => string,
) {
  const all: Json = {
    kind: "object",
    members: [
      ["doc", doc],
      ["text", { kind: "text", text }],
    ],
  };
  const spelledVersion = version === "v2" ? pick(random, ["", "latest", "v2"]) : version;
  const struct = random() < 0.5 ? structOf(all, random, decompose) : undefined;
  if (struct && typeof struct.value === "object" && struct.value !== null) {
    return { name, version: spelledVersion, variables: JSON.parse(JSON.stringify(struct.value)) };
  }
  return { name, version: spelledVersion, variablesJson: spellJson(all, random, { keyOrder: true, text: decompose }) };
}

function spellOutput({ schema, checks }: Meaning, random: Random): Pick<NonNullable<Init>, "output"> {
  if (schema) {
    const value = { schema: spellJson(schema, random, { numbers: true }), checks };
    return { output: { format: { case: "json", value } } };
  }
  if (checks.length === 0 && random() < 0.5) return random() < 0.5 ? {} : { output: {} };
  return { output: { format: { case: "text", value: { checks } } } };
}
