import assert from "node:assert/strict";
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  ScalarType,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { CacheMode, CompletionInputSchema, Overflow } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { requestHash } from "../../src/pipeline/idempotency/request-hash.ts";
import { seeded } from "./parse/random.ts";

const hash = (init: MessageInitShape<typeof CompletionInputSchema>, tenant = "acme") =>
  requestHash(tenant, create(CompletionInputSchema, init));

const schema = '{"type":"object","properties":{"b":{"const":1.0},"a":{"const":"é"}}}';

/** An input that has one of everything; a message is either a prompt's or has messages, for the hash it may have both. */
const full = create(CompletionInputSchema, {
  prompt: { name: "summarize", version: "v1", variables: { text: "x", list: [1, { b: 2, a: null }] } },
  messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "When?" } }] }],
  model: "fast",
  output: { format: { case: "json", value: { schema, checks: [{ rule: "true", message: "m" }] } } },
  context: {
    chunks: [
      { id: "a", text: "one", score: 0 },
      { id: "b", text: "two" },
    ],
  },
  generation: { temperature: 0, topP: 1, maxOutputTokens: 9, stop: ["x", "y"], seed: 2n ** 60n },
  cache: { mode: CacheMode.REFRESH, ttlSeconds: 60 },
  overflow: Overflow.REJECT,
  attribution: { feature: "f", user: "u" },
});

/** A value other than the default and than what `full` has. */
function otherValue(field: DescField, present: JsonValue | undefined): JsonValue {
  if (field.enum) return field.enum.values.findLast(({ name }) => name !== present)?.name ?? "";
  if (field.scalar === ScalarType.BOOL) return true;
  if (field.message?.typeName === "google.protobuf.ListValue") return ["other"];
  if (field.scalar === ScalarType.STRING) return field.name === "schema" ? '{"other":1}' : "other";
  if (field.message) return field.message.typeName === "google.protobuf.Struct" ? { other: 1 } : {};
  return 7;
}

/** The JSON of a message with a field set to something else: one for each field of it and of the messages in it. */
function* changes(desc: DescMessage, json: Record<string, JsonValue>): Generator<[string, Record<string, JsonValue>]> {
  for (const field of desc.fields) {
    const { jsonName, name } = field;
    const present = json[jsonName];
    const others = field.oneof?.fields.map((member) => member.jsonName) ?? [];
    const rest = Object.fromEntries(Object.entries(json).filter(([key]) => !others.includes(key)));
    const value = otherValue(field, present);
    if (field.fieldKind === "list") yield [`${name}[]`, { ...rest, [jsonName]: [...asList(present), value] }];
    else if (!field.message || field.message.typeName.startsWith("google."))
      yield [name, { ...rest, [jsonName]: value }];
    if (!field.message || field.message.typeName.startsWith("google.")) continue;
    const inner = field.fieldKind === "list" ? asList(present)[0] : present;
    for (const [path, changed] of changes(field.message, asObject(inner))) {
      const member = field.fieldKind === "list" ? [changed, ...asList(present).slice(1)] : changed;
      yield [`${name}.${path}`, { ...rest, [jsonName]: member }];
    }
  }
}

function asList(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function asObject(value: JsonValue | undefined): Record<string, JsonValue> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

describe("the request of an idempotency key", () => {
  const fullHash = requestHash("acme", full);

  const json = asObject(toJson(CompletionInputSchema, full));
  const all = [...changes(CompletionInputSchema, json)];

  for (const [path, changed] of all) {
    const isKey = path === "idempotency_key";
    it(`${isKey ? "does not change with" : "changes with"} ${path}`, () => {
      // Only one of the two holds variables.
      if (path === "prompt.variables_json") delete asObject(changed.prompt).variables;
      if (path === "prompt.variables_json") asObject(changed.prompt).variablesJson = '{"other":1}';
      const hashed = requestHash("acme", fromJson(CompletionInputSchema, changed));
      if (isKey) assert.equal(hashed, fullHash);
      else assert.notEqual(hashed, fullHash);
    });
  }

  it("has a test for each field: the walk reaches the deepest ones", () => {
    const paths = all.map(([path]) => path);
    for (const deep of [
      "messages.content.text",
      "output.json.checks.rule",
      "context.chunks.score",
      "generation.seed",
      "retrieval.filter.all.range.gte",
    ]) {
      assert.ok(paths.includes(deep), `${deep} in ${paths}`);
    }
    assert.ok(paths.length >= 34, String(paths.length));
  });

  it("is another for each tenant, and no text can pose as its neighbour", () => {
    assert.notEqual(requestHash("globex", full), fullHash);
    assert.notEqual(hash({ attribution: { feature: "ab" } }), hash({ attribution: { feature: "a", user: "b" } }));
    assert.notEqual(hash({ model: "b" }, "a"), hash({ model: "" }, 'a","b'));
  });

  it("is SHA-256 in lower-case hex", () => assert.match(fullHash, /^[0-9a-f]{64}$/));

  it("does not change with the way it travelled", () => {
    const viaJson = fromJson(CompletionInputSchema, toJson(CompletionInputSchema, full));
    const viaBytes = fromBinary(CompletionInputSchema, toBinary(CompletionInputSchema, full));
    assert.deepEqual([requestHash("acme", viaJson), requestHash("acme", viaBytes)], [fullHash, fullHash]);
  });

  it("does not change when a default is written down", () => {
    const plain = hash({ prompt: { name: "p" } });
    const spellings: Record<string, MessageInitShape<typeof CompletionInputSchema>> = {
      version: { prompt: { name: "p", version: "latest" } },
      cache: { prompt: { name: "p" }, cache: { mode: CacheMode.DEFAULT } },
      overflow: { prompt: { name: "p" }, overflow: Overflow.TRUNCATE },
      empty: { prompt: { name: "p" }, output: {}, context: {}, generation: {}, cache: {}, attribution: {} },
      variables: { prompt: { name: "p", variables: {} } },
      variables_json: { prompt: { name: "p", variablesJson: " { } " } },
    };
    for (const [what, init] of Object.entries(spellings)) assert.equal(hash(init), plain, what);
    assert.notEqual(hash({ prompt: { name: "p" }, output: { format: { case: "text", value: {} } } }), plain);
    assert.notEqual(hash({ prompt: { name: "p" }, generation: { temperature: 0 } }), plain);
  });

  const variables = (variablesJson: string) => hash({ prompt: { name: "p", variablesJson } });
  const asked = (text: string) => hash({ output: { format: { case: "json", value: { schema: text } } } });

  it("takes digits of variables for meaning, spaces, escapes and the order of keys not", () => {
    const one = variables('{"b":[1,{"y":null,"x":"é"}],"a":1.10}');
    assert.equal(variables('{ "a" : 1.10,\n"b":[1, {"x":"\\u00e9","y":null}] }'), one);
    assert.notEqual(variables('{"b":[1,{"y":null,"x":"é"}],"a":1.1}'), one);
    assert.notEqual(variables('{"b":[1,{"y":null,"x":"é"}],"a":"1.10"}'), one);
    assert.notEqual(variables('{"b":[{"y":null,"x":"é"},1],"a":1.10}'), one);
    assert.notEqual(variables('{"n":12345678901234567890}'), variables('{"n":12345678901234567891}'));
    assert.equal(variables('{"n":1.5}'), hash({ prompt: { name: "p", variables: { n: 1.5 } } }));
  });

  it("takes digits and the order of keys of a schema for meaning, spaces and escapes not", () => {
    assert.equal(asked(' {"b": 1.0, "1": "\\u0061 \\" b"} '), asked('{"b":1.0,"1":"a \\" b"}'));
    assert.notEqual(asked('{"b":1.0,"1":2}'), asked('{"1":2,"b":1.0}'));
    assert.notEqual(asked('{"b":1.0}'), asked('{"b":1}'));
  });

  it("of random variables changes with every change of them, and with no order of keys", () => {
    for (let seed = 0; seed < 500; seed += 1) {
      const value = randomObject(seeded(seed), 0);
      const shuffled = shuffle(value, seeded(seed + 1));
      const expected = variables(JSON.stringify(value));
      assert.equal(variables(JSON.stringify(shuffled, undefined, seed % 4)), expected, `seed ${seed}`);
      assert.equal(hash({ prompt: { name: "p", variables: asObject(shuffled) } }), expected, `seed ${seed}`);
      const changed = changeOne(value, seeded(seed + 2));
      if (JSON.stringify(changed) === JSON.stringify(value)) continue;
      assert.notEqual(variables(JSON.stringify(changed)), expected, `seed ${seed}`);
    }
  });
});

const leaves: readonly JsonValue[] = ["", "a", "1", 1, 0.5, -3, true, false, null, [], {}, 'é\n"', "\u2028"];

function randomObject(random: () => number, depth: number): Record<string, JsonValue> {
  const size = Math.floor(random() * 4);
  return Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`${"ba1é"[index]}${depth}`, randomValue(random, depth + 1)]),
  );
}

function randomValue(random: () => number, depth: number): JsonValue {
  if (depth < 4 && random() < 0.3) return randomObject(random, depth);
  if (depth < 4 && random() < 0.2) return [randomValue(random, depth + 1), randomValue(random, depth + 1)];
  return leaves[Math.floor(random() * leaves.length)] ?? null;
}

function shuffle(value: JsonValue, random: () => number): JsonValue {
  if (Array.isArray(value)) return value.map((item) => shuffle(item, random));
  if (typeof value !== "object" || value === null) return value;
  const ranked = Object.entries(value).map(([key, member]) => ({
    rank: random(),
    key,
    member: shuffle(member, random),
  }));
  ranked.sort((one, other) => one.rank - other.rank);
  return Object.fromEntries(ranked.map(({ key, member }) => [key, member]));
}

/** The value with one leaf, or one key, replaced. */
function changeOne(value: JsonValue, random: () => number): JsonValue {
  if (Array.isArray(value) && value.length > 0) {
    const at = Math.floor(random() * value.length);
    return value.map((item, index) => (index === at ? changeOne(item, random) : item));
  }
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (entries.length === 0) return leaves[Math.floor(random() * leaves.length)] ?? null;
  const at = Math.floor(random() * entries.length);
  const isKey = random() < 0.3;
  return Object.fromEntries(
    entries.map(([key, member], index) =>
      index !== at ? [key, member] : isKey ? [`${key}x`, member] : [key, changeOne(member, random)],
    ),
  );
}
