import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Overflow } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import type { CacheKey } from "../../src/pipeline/cache-key/key.ts";
import { type Init, keysOf } from "./cache-key/keys-of.ts";

const say = (text: string, role: Role = Role.USER) => ({
  role,
  content: [{ content: { case: "text" as const, value: text } }],
});
const base: Init = { messages: [say("question")] };
const secret = new Uint8Array(32).fill(7);

const both = (init: Init) => {
  const { content, request } = keysOf(init);
  return [content.key, request.key];
};

describe("the cache keys", () => {
  it("are 64 hex digits each, others for the content than for the request, and the same for the same question", () => {
    const { content, request } = keysOf(base);
    assert.match(content.key, /^[0-9a-f]{64}$/);
    assert.match(request.key, /^[0-9a-f]{64}$/);
    assert.notEqual(content.key, request.key);
    assert.deepEqual(both(base), both(base));
  });

  it("cannot be made equal by moving text from one field to its neighbour", () => {
    const [content, request] = both({ messages: [say('a"],["user","b')] });
    const [otherContent, otherRequest] = both({ messages: [say("a"), say("b")] });
    assert.notEqual(content, otherContent);
    assert.notEqual(request, otherRequest);
  });

  it("of a prompt tell a number from the text that prints the same", () => {
    const json = (variablesJson: string) => ({ prompt: { name: "show", variablesJson } });
    const checked = (variablesJson: string) => ({
      ...json(variablesJson),
      output: { format: { case: "text" as const, value: { checks: [{ rule: "output != ''", message: "m" }] } } },
    });
    for (const made of [json, checked]) {
      const [content, request] = both(made('{"doc":{"n":1.10}}'));
      const [otherContent, otherRequest] = both(made('{"doc":{"n":"1.10"}}'));
      assert.notEqual(content, otherContent);
      assert.notEqual(request, otherRequest);
    }
  });

  it("of a prompt are others where it compares a variable, and shows another part for another spelling", () => {
    const variables = (text: string) => ({ prompt: { name: "show", variables: { text } } });
    const [content, request] = both(variables("caf\u00e9"));
    const [otherContent, otherRequest] = both(variables("cafe\u0301"));
    assert.notEqual(content, otherContent);
    assert.notEqual(request, otherRequest);
    const [same, asWritten] = both(variables("caf\u00e9s"));
    const [respelled, otherwise] = both(variables("cafe\u0301s"));
    assert.equal(same, respelled);
    assert.notEqual(asWritten, otherwise);
  });

  it("of a request hold the variables that the prompt does not show, which those of the content do only with checks", () => {
    const variables = (hidden: string) => ({ prompt: { name: "show", variables: { hidden } } });
    const checked = (hidden: string) => ({
      ...variables(hidden),
      output: { format: { case: "text" as const, value: { checks: [{ rule: "output != ''", message: "m" }] } } },
    });
    const [one, other] = [keysOf(variables("a")), keysOf(variables("b"))];
    assert.equal(one.content.key, other.content.key);
    assert.notEqual(one.request.key, other.request.key);
    assert.notEqual(keysOf(checked("a")).content.key, keysOf(checked("b")).content.key);
  });

  it("of the content are the same for what was left out and what was never there", () => {
    const long = { messages: [say("word ".repeat(2000)), say("answer", Role.ASSISTANT), say("question")] };
    const [cut, short] = [keysOf(long), keysOf(base)];
    assert.equal(cut.content.key, short.content.key);
    assert.notEqual(cut.request.key, short.request.key);
  });

  it("keep apart who said how long an answer may be, also beyond what the first model allows", () => {
    const capped = (maxOutputTokens: number) => both({ ...base, generation: { maxOutputTokens } });
    // 100 is what the model is asked for when nobody says; 400 the most that it allows.
    const keys = [both(base), capped(100), capped(400), capped(500)];
    for (const at of [0, 1]) assert.equal(new Set(keys.map((pair) => pair[at])).size, keys.length);
  });

  it("of the content do not ask what would have been refused", () => {
    assert.equal(keysOf(base).content.key, keysOf({ ...base, overflow: Overflow.REJECT }).content.key);
  });
});

describe("the parts of a cache key", () => {
  const differing = (one: CacheKey, other: CacheKey) => {
    const others = new Map(other.parts(secret).map(({ name, digest }) => [name, digest]));
    return one
      .parts(secret)
      .filter(({ name, digest }) => others.get(name) !== digest)
      .map(({ name }) => name);
  };

  it("say why two requests do not share an answer", () => {
    const warm = keysOf({ ...base, generation: { temperature: 1 } });
    const cold = keysOf({ ...base, generation: { temperature: 0 } });
    assert.deepEqual(differing(warm.content, cold.content), ["temperature"]);
    assert.deepEqual(differing(warm.request, cold.request), ["temperature"]);
    const other = keysOf({ messages: [say("other")] });
    assert.deepEqual(differing(keysOf(base).content, other.content), ["messages"]);
    assert.deepEqual(differing(keysOf(base).request, keysOf(base, { corpus: "7" }).request), ["corpus_version"]);
  });

  it("have keyed digests of 16 hex digits, and none where there may be secrets", () => {
    const settings = { id: "main", baseUrl: "http://user:pass@upstream.test", settings: "x-key: secret" };
    const keys = keysOf(base, { model: { provider: settings, escalateTo: "smart" }, smart: { provider: settings } });
    for (const key of [keys.content, keys.request]) {
      const parts = key.parts(secret);
      const silent = parts.filter(({ digest }) => digest === "").map(({ name }) => name);
      assert.deepEqual(silent, ["base_url", "provider_settings", "escalation_settings"]);
      const shown = parts.filter(({ digest }) => digest !== "");
      assert.ok(shown.every(({ digest }) => /^[0-9a-f]{16}$/.test(digest)));
      assert.equal(new Set(parts.map(({ name }) => name)).size, parts.length);
      const withoutSecret = key.parts(new Uint8Array(32));
      assert.ok(shown.every(({ name, digest }) => withoutSecret.find((p) => p.name === name)?.digest !== digest));
    }
    const tenant = createHmac("sha256", secret).update('["tenant","acme"]').digest("hex").slice(0, 16);
    assert.equal(keys.content.parts(secret).find(({ name }) => name === "tenant")?.digest, tenant);
    // What an escalation is asked through must not show in the digest of its names.
    const elsewhere = keysOf(base, { model: { provider: settings, escalateTo: "smart" } });
    assert.deepEqual(differing(keys.content, elsewhere.content), []);
    assert.notEqual(keys.content.key, elsewhere.content.key);
  });
});
