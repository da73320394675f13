import assert from "node:assert/strict";
import { ReasoningEffort } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../../gen/sluice/v1/message_pb.ts";
import { pick, seeded } from "../parse/random.ts";
import { keysOf, type Setting } from "./keys-of.ts";
import { changeJson, type Random } from "./random-json.ts";
import { isCompared, type Meaning, randomMeaning, spell } from "./random-request.ts";

const SEEDS = 2500;

/** Nothing is compiled: here it counts how a schema and a check are written. */
const setting: Setting = {
  schemas: { compile: (text) => ({ text, definition: JSON.parse(text), validate: () => [] }) },
  checks: { compile: (sources) => ({ sources, refuse: () => undefined, evaluate: () => [] }) },
};

/** Changes what a request means; false where it has nothing of the kind. */
type Change = (meaning: Meaning, random: Random) => boolean | undefined;

function changeIn<T>(list: T[], change: (item: T) => void): boolean {
  const item = list.at(-1);
  if (item) change(item);
  return item !== undefined;
}

/** Of the texts that are compared with others, every byte is meaning; of the rest, letters with their marks are not. */
function changeText(text: string, meaning: Meaning, random: Random): string {
  const decomposed = text.normalize("NFD").replaceAll("A\u030a", "\u212b");
  if (isCompared(meaning) && decomposed !== text && random() < 0.5) return decomposed;
  if (text.includes("\u212b") && random() < 0.5) return text.replace("\u212b", "\u00c5");
  return pick(random, [`${text} `, `${text}.`, `T${text.slice(1)}`, `${text}\u0301`, `${text}\u200b`, `\n${text}`]);
}

const changes: Readonly<Record<string, Change>> = {
  "text of a message": (meaning, random) =>
    changeIn(meaning.messages, (message) => {
      message.text = changeText(message.text, meaning, random);
    }),
  "role of a message": ({ messages }) =>
    messages.length > 1 &&
    changeIn(messages.slice(0, 1), (message) => {
      message.role = Role.SYSTEM;
    }),
  "number of messages": ({ messages }) => messages.length > 0 && messages.push({ role: Role.USER, text: "more" }) > 0,
  "text variable": (meaning, random) => {
    if (meaning.prompt) meaning.prompt.text = changeText(meaning.prompt.text, meaning, random);
    return meaning.prompt !== undefined;
  },
  "other variable": ({ prompt }, random) => {
    if (prompt) changeJson(prompt.doc, random, false);
    return prompt !== undefined;
  },
  prompt: ({ prompt }) => prompt && prompt.version === "v2" && Boolean(Object.assign(prompt, { version: "v1" })),
  schema: ({ schema }, random) => {
    if (schema) changeJson(schema, random, true);
    return schema !== undefined;
  },
  "kind of output": (meaning) => {
    const { schema } = meaning;
    meaning.schema = schema ? undefined : { kind: "object", members: [] };
    return true;
  },
  "rule of a check": (meaning, random) =>
    changeIn(meaning.checks, (check) => {
      check.rule = changeText(check.rule, meaning, random);
    }),
  "message of a check": (meaning, random) =>
    changeIn(meaning.checks, (check) => {
      check.message = changeText(check.message, meaning, random);
    }),
  "a check more": ({ checks }) => checks.push({ rule: "more", message: "more" }) > 0,
  "text of a chunk": (meaning, random) =>
    changeIn(meaning.chunks, (chunk) => {
      chunk.text = changeText(chunk.text, meaning, random);
    }),
  "id of a chunk": ({ chunks }) => changeIn(chunks, (chunk) => Object.assign(chunk, { id: "c" })),
  "score of a chunk": ({ chunks }) => changeIn(chunks, (chunk) => Object.assign(chunk, { score: 0.5 })),
  "order of chunks": ({ chunks }) => chunks.length > 1 && chunks.reverse().length > 0,
  "a chunk more": ({ chunks }) => chunks.push({ id: "new", text: "more" }) > 0,
  temperature: ({ generation }) => Boolean(Object.assign(generation, { temperature: 0.5 })),
  "top p": ({ generation }) => Boolean(Object.assign(generation, { topP: 0.5 })),
  penalties: ({ generation }, random) =>
    Boolean(Object.assign(generation, { [pick(random, ["presencePenalty", "frequencyPenalty"])]: -1 })),
  "most tokens": ({ generation }) => Boolean(Object.assign(generation, { maxOutputTokens: 51 })),
  seed: ({ generation }) => Boolean(Object.assign(generation, { seed: 2n ** 53n + 1n })),
  effort: ({ generation }) => Boolean(Object.assign(generation, { reasoningEffort: ReasoningEffort.HIGH })),
  "a stop more": ({ stop }) => stop.push("u\u0308") > 0,
  "a stop less": ({ stop }) => stop.pop() !== undefined,
  model: (meaning) => Boolean(Object.assign(meaning, { model: "same" })),
};

/** Only the request key asks whether something may be left out: where nothing was, the same is asked of the model. */
const changesOfRequest: Readonly<Record<string, Change>> = {
  overflow: (meaning) => Boolean(Object.assign(meaning, { mayTruncate: !meaning.mayTruncate })),
};

describe("the cache keys of random requests", () => {
  it(`are the same for every spelling and others for every other meaning, ${SEEDS} times`, () => {
    const tried = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = seeded(seed);
      const meaning = randomMeaning(random);
      const model = { contextTokens: 100_000, structuredOutput: pick(random, ["json_schema", "prompt"] as const) };
      // What is left out goes by the tokens of a text as it is written, so that the request key does too.
      const keys = (of: Meaning) => keysOf(spell(of, random, true), { ...setting, model });
      const before = keys(meaning);
      const again = keys(meaning);
      const respelled = keysOf(spell(meaning, random), { ...setting, model });
      assert.equal(again.request.key, before.request.key, `seed ${seed}: another spelling, another request key`);
      assert.equal(again.content.key, before.content.key, `seed ${seed}: another spelling, another content key`);
      assert.equal(respelled.content.key, before.content.key, `seed ${seed}: other marks, another content key`);

      const name = pick(random, ["overflow", ...Object.keys(changes)]);
      const other = structuredClone(meaning);
      const change = changes[name] ?? changesOfRequest[name];
      if (!change?.(other, random)) continue;
      tried.set(name, (tried.get(name) ?? 0) + 1);
      const after = keys(other);
      assert.notEqual(after.request.key, before.request.key, `seed ${seed}: ${name}: the same request key`);
      const isSame = after.content.key === before.content.key;
      assert.equal(isSame, name in changesOfRequest, `seed ${seed}: ${name}: the content key`);
    }
    const all = [...Object.keys(changes), ...Object.keys(changesOfRequest)];
    for (const name of all) assert.ok((tried.get(name) ?? 0) >= 5, `${name} was tried ${tried.get(name)} times`);
  }).timeout(60_000);
});
