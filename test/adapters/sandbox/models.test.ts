import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { behaviours, MAX_OUTPUT_TOKENS } from "../../../src/adapters/sandbox/behaviours.ts";
import { createSandboxModels } from "../../../src/adapters/sandbox/models.ts";
import { splitIntoDeltas } from "../../../src/adapters/sandbox/play.ts";
import { createTokenCounter } from "../../../src/adapters/tokenizer.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { type ModelEvent, type ModelRequest, UpstreamError, type UpstreamErrorKind } from "../../../src/core/model.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

const counter = createTokenCounter();
const SCHEMA = '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}';
const JSON_OUTPUT = { kind: "json", mode: "json_schema", schemaText: SCHEMA } as const;
const QUESTION = "City: Tarnwick. The harbour of the city sinks by three millimetres a year.";

interface Played {
  readonly text: string;
  readonly deltas: readonly string[];
  readonly end: Extract<ModelEvent, { kind: "end" }> | undefined;
  readonly error: UpstreamError | undefined;
  readonly clock: FakeClock;
}

function request(change: Partial<ModelRequest> = {}): ModelRequest {
  return {
    callId: "0192",
    attempt: 1,
    providerModel: "sandbox",
    messages: [{ role: "user", text: QUESTION }],
    messagesOfCorrection: 0,
    chunks: [],
    sampling: { maxOutputTokens: 1_000, stop: [] },
    output: { kind: "text" },
    timeouts: { firstByteMs: 10_000, idleMs: 5_000, attemptMs: 60_000 },
    streamUpstream: true,
    ...change,
  };
}

async function played(name: string, change: Partial<ModelRequest> = {}): Promise<Played> {
  const clock = fakeClock();
  const model = createSandboxModels({ clock, counter }).find((candidate) => candidate.name === name);
  assert.ok(model, `${name} exists`);
  const deltas: string[] = [];
  let end: Played["end"];
  let error: Played["error"];
  try {
    for await (const event of model.chat.complete(request(change), new AbortController().signal)) {
      assert.equal(end, undefined, "nothing comes after the end");
      if (event.kind === "end") end = event;
      else deltas.push(event.text);
    }
  } catch (thrown) {
    assert.ok(thrown instanceof UpstreamError);
    error = thrown;
  }
  return { text: deltas.join(""), deltas, end, error, clock };
}

describe("sandbox models", () => {
  before(() => counter.warm());

  // Kind of failure, deltas before it, and whether the second attempt answers.
  const failures: Readonly<Record<string, readonly [UpstreamErrorKind, number, "then answers"?]>> = {
    "sandbox/rate-limited-once": ["rate_limited", 0, "then answers"],
    "sandbox/rate-limited": ["rate_limited", 0],
    "sandbox/request-too-large": ["exceeds_rate_window", 0],
    "sandbox/quota": ["quota_exhausted", 0],
    "sandbox/overflow-once": ["context_overflow", 0, "then answers"],
    "sandbox/overflow": ["context_overflow", 0],
    "sandbox/filtered-input": ["content_filtered_input", 0],
    "sandbox/filtered-output": ["content_filtered_output", 2],
    "sandbox/unauthorized": ["auth_invalid", 0],
    "sandbox/model-missing": ["model_not_found", 0],
    "sandbox/down": ["overloaded", 0],
    "sandbox/silent": ["first_byte_timeout", 0],
    "sandbox/stalls": ["idle_timeout", 2],
    "sandbox/cut-once": ["stream_interrupted", 2, "then answers"],
    "sandbox/cut": ["stream_interrupted", 2],
  };

  for (const [name, [kind, deltas, then]] of Object.entries(failures)) {
    it(`${name} fails as ${kind} after ${deltas} deltas${then ? ", then answers" : ", every time"}`, async () => {
      const first = await played(name);
      assert.equal(first.error?.fields.kind, kind);
      assert.equal(first.deltas.length, deltas);
      const second = await played(name, { attempt: 2 });
      if (then) assert.equal(second.end?.finish, "stop");
      else assert.equal(second.error?.fields.kind, kind);
    });
  }

  for (const { name } of behaviours.filter((behaviour) => !(behaviour.name in failures))) {
    it(`${name} answers, with usage and the reason why it stopped`, async () => {
      const { text, end, error } = await played(name);
      assert.equal(error, undefined);
      assert.ok(text.length > 0);
      assert.equal(end?.usage?.completionTokens, counter.count(text, "sandbox"));
      assert.equal(end?.usage?.promptTokens, counter.count(QUESTION, "sandbox") + 6);
      assert.equal(end?.servedModel, name);
      assert.equal(end?.finish, name === "sandbox/long" ? "length" : "stop");
    });
  }

  it("say how long to wait, and what a window holds", async () => {
    assert.equal((await played("sandbox/rate-limited-once")).error?.fields.waitMs, 300);
    assert.equal((await played("sandbox/rate-limited")).error?.fields.waitMs, 60_000);
    const { limit = 0, requested = 0 } = (await played("sandbox/request-too-large")).error?.fields ?? {};
    assert.ok(requested > limit && limit > 0);
  });

  it("answer the same request the same way", async () => {
    const change = { output: JSON_OUTPUT };
    assert.deepEqual(
      (await played("sandbox/extract", change)).deltas,
      (await played("sandbox/extract", change)).deltas,
    );
  });

  it("echo the last user message, bounded", async () => {
    assert.equal((await played("sandbox/echo")).text, QUESTION);
    const text = "🦆".repeat(50_000);
    const echoed = await played("sandbox/echo", {
      messages: [{ role: "user", text }],
      sampling: { maxOutputTokens: 1_000_000, stop: [] },
    });
    assert.ok(echoed.text.length <= 8_192 && echoed.text.isWellFormed());
  });

  it("fill the schema for JSON output", async () => {
    assert.deepEqual(JSON.parse((await played("sandbox/extract", { output: JSON_OUTPUT })).text), {
      city: "Tarnwick. The harbour of the city sinks by three millimetres a year.",
    });
  });

  it("break off inside their JSON, once or always", async () => {
    const output = JSON_OUTPUT;
    for (const name of ["sandbox/bad-json-once", "sandbox/bad-json"]) {
      const first = await played(name, { output });
      assert.throws(() => JSON.parse(first.text), SyntaxError);
      assert.equal(first.end?.finish, "stop");
    }
    assert.ok(JSON.parse((await played("sandbox/bad-json-once", { output, attempt: 2 })).text));
    const again = await played("sandbox/bad-json", { output, attempt: 2 });
    assert.throws(() => JSON.parse(again.text), SyntaxError);
  });

  it("answer with JSON of the wrong shape", async () => {
    const { text } = await played("sandbox/wrong-shape", { output: JSON_OUTPUT });
    assert.ok(Array.isArray(JSON.parse(text).city));
    for (const schemaText of [
      '{"type":"string"}',
      '{"type":"array","items":{"type":"string"}}',
      '{"type":"integer"}',
    ]) {
      const wrong: unknown = JSON.parse(
        (await played("sandbox/wrong-shape", { output: { ...JSON_OUTPUT, schemaText } })).text,
      );
      assert.notEqual(Array.isArray(wrong) ? "array" : typeof wrong, JSON.parse(schemaText).type);
    }
  });

  it("stop at the number of output tokens, whichever is smaller", async () => {
    const asked = await played("sandbox/long", { sampling: { maxOutputTokens: 20, stop: [] } });
    assert.ok((asked.end?.usage?.completionTokens ?? 0) <= 20 && asked.end?.finish === "length");
    const most = await played("sandbox/long", { sampling: { maxOutputTokens: MAX_OUTPUT_TOKENS, stop: [] } });
    assert.equal(most.end?.finish, "length");
  });

  it("end before a stop text", async () => {
    const { text, end } = await played("sandbox/echo", {
      sampling: { maxOutputTokens: 1_000, stop: ["nowhere", " harbour"] },
    });
    assert.equal(text, "City: Tarnwick. The");
    assert.equal(end?.finish, "stop");
  });

  it("send one delta where no stream was asked for, and none before a failure", async () => {
    assert.equal((await played("sandbox/echo", { streamUpstream: false })).deltas.length, 1);
    assert.equal((await played("sandbox/cut", { streamUpstream: false })).deltas.length, 0);
  });

  it("keep to their pace between words", async () => {
    const { clock, deltas } = await played("sandbox/slow");
    assert.deepEqual(new Set(clock.sleeps), new Set([200]));
    assert.equal(clock.sleeps.length, deltas.length);
  });

  it("keep the time limits of the attempt", async () => {
    const timeouts = { firstByteMs: 100, idleMs: 100, attemptMs: 1_000 };
    assert.equal((await played("sandbox/slow", { timeouts })).error?.fields.kind, "first_byte_timeout");
    assert.equal(
      (await played("sandbox/slow", { timeouts: { ...timeouts, firstByteMs: 500 } })).error?.fields.kind,
      "idle_timeout",
    );
    assert.equal(
      (await played("sandbox/slow", { timeouts: { firstByteMs: 500, idleMs: 500, attemptMs: 500 } })).error?.fields
        .kind,
      "attempt_timeout",
    );
    assert.equal(
      (await played("sandbox/silent", { timeouts: { ...timeouts, attemptMs: 50 } })).error?.fields.kind,
      "attempt_timeout",
    );
    assert.deepEqual((await played("sandbox/silent", { timeouts })).clock.sleeps, [100]);
  });

  it("stop at once when aborted, with the signal's reason", async () => {
    const model = createSandboxModels({ clock: systemClock, counter }).find(({ name }) => name === "sandbox/silent");
    assert.ok(model);
    const controller = new AbortController();
    const reason = new Error("the caller left");
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(async () => {
      for await (const event of model.chat.complete(request(), controller.signal))
        assert.fail(`unexpected ${event.kind}`);
    }, reason);
  });

  it("are listed in docs/sandbox.md, each with its description", () => {
    const page = readFileSync(new URL("../../../docs/sandbox.md", import.meta.url), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `sandbox/"));
    const listed = rows.map((row) =>
      row
        .split("|")
        .slice(1, 3)
        .map((cell) => cell.trim()),
    );
    assert.deepEqual(
      listed,
      behaviours.map(({ name, description }) => [`\`${name}\``, description]),
    );
  });
});

describe("deltas of a text", () => {
  it("are words with the space before them, and make up the text", () => {
    assert.deepEqual(splitIntoDeltas("One two,\n three "), ["One", " two,", "\n three", " "]);
    for (const text of ["", " ", "  lead", "水門は水を".repeat(20), "🦆".repeat(100), "a\t\tb\n\n"]) {
      assert.equal(splitIntoDeltas(text).join(""), text);
      for (const delta of splitIntoDeltas(text)) assert.ok(delta.isWellFormed() && delta !== "");
    }
  });
});
