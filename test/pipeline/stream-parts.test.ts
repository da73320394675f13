import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { RestartCause, type StreamCompleteResponse } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { readValue } from "../../src/pipeline/parse/read-value.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { type ScriptedAnswer, scriptedModel, target } from "../support/models.ts";
import { pipelinePorts, type TestPorts, testCall } from "../support/pipeline-ports.ts";
import { damage, restyle } from "./parse/damage.ts";
import { pick, randomObject, seeded } from "./parse/random.ts";
import { cut, spell, valueAt } from "./part-texts.ts";

const json = { format: { case: "json" as const, value: { schema: '{"type":"object"}' } } };

const ask = (output?: typeof json) =>
  create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "q" } }] }],
    ...(output && { output }),
  });

const portsOf = (...answers: readonly ScriptedAnswer[]) =>
  pipelinePorts([target({ chat: scriptedModel(...answers) })], { maxAttempts: 2 });

async function eventsOf(ports: TestPorts, output?: typeof json): Promise<StreamCompleteResponse[]> {
  const events: StreamCompleteResponse[] = [];
  for await (const event of createPipeline(ports).stream(testCall(), ask(output))) events.push(event);
  return events;
}

/** Events in short: a delta as its text, a part as its pointer and text, others as their names. */
function brief(events: readonly StreamCompleteResponse[]): unknown[] {
  return events.map(({ event }) => {
    if (event.case === "textDelta") return event.value.text;
    if (event.case === "jsonPart") return [event.value.pointer, event.value.text];
    return event.case;
  });
}

/** Parts that hold at the end, in order. */
function validParts(events: readonly StreamCompleteResponse[]): { pointer: string; text: string }[] {
  let parts: { pointer: string; text: string }[] = [];
  for (const { event } of events) {
    if (event.case === "restarted") parts = [];
    if (event.case === "jsonPart") parts.push({ pointer: event.value.pointer, text: event.value.text });
  }
  return parts;
}

function completionOf(events: readonly StreamCompleteResponse[]) {
  const last = events.at(-1)?.event;
  const completion = last?.case === "finished" ? last.value.completion : undefined;
  return completion ?? assert.fail("the stream has no last event");
}

describe("the parts in a stream", () => {
  const good: ScriptedAnswer = { deltas: ['{"a": 1', ', "b": [2', ", 3]}", "\n"] };
  const parts = [
    { pointer: "/a", text: "1" },
    { pointer: "/b/0", text: "2" },
    { pointer: "/b/1", text: "3" },
    { pointer: "/b", text: "[2, 3]" },
  ];

  it("come right after the delta that completes them", async () => {
    assert.deepEqual(brief(await eventsOf(portsOf(good), json)), [
      "started",
      '{"a": 1',
      ', "b": [2',
      ["/a", "1"],
      ", 3]}",
      ["/b/0", "2"],
      ["/b/1", "3"],
      ["/b", "[2, 3]"],
      "finished",
    ]);
  });

  it("do not come where text was asked for", async () => {
    assert.deepEqual(validParts(await eventsOf(portsOf(good))), []);
  });

  it("are void with the answer that broke off, and come anew with the next", async () => {
    const failure = { kind: "stream_interrupted", httpStatus: 200 } as const;
    const events = await eventsOf(portsOf({ deltas: ['{"a": 7, "b": [8, {"c"'], failure }, good), json);
    assert.deepEqual(brief(events).slice(0, 5), [
      "started",
      '{"a": 7, "b": [8, {"c"',
      ["/a", "7"],
      ["/b/0", "8"],
      "restarted",
    ]);
    assert.deepEqual(validParts(events), parts);
  });

  it("are void with an answer that is corrected", async () => {
    const restarts: RestartCause[] = [];
    const schema = '{"type":"object","required":["b"]}';
    const wide = target({ chat: scriptedModel({ deltas: ['{"a": 7}'] }, good), contextTokens: 20_000 });
    const events = await eventsOf(pipelinePorts([wide]), { format: { case: "json", value: { schema } } });
    for (const { event } of events) if (event.case === "restarted") restarts.push(event.value.cause);
    assert.deepEqual(restarts, [RestartCause.CORRECTION]);
    assert.deepEqual(brief(events).slice(1, 4), ['{"a": 7}', ["/a", "7"], "restarted"]);
    assert.deepEqual(validParts(events), parts);
  });

  it("come after the delta with the validated value where the model's text was none", async () => {
    const text = '{"a": 1, "b": [2, 3]}';
    const wordy = await eventsOf(portsOf({ deltas: ["Here you are: ", text] }), json);
    assert.deepEqual(brief(wordy).slice(0, 6), [
      "started",
      "Here you are:",
      ` ${text}`,
      "restarted",
      text,
      ["/a", "1"],
    ]);
    assert.deepEqual(validParts(wordy), parts);
    const slip = await eventsOf(portsOf({ deltas: ['{"a": 1, "b": [2, 3,]}'] }), json);
    assert.deepEqual(brief(slip).slice(2, 6), [["/a", "1"], ["/b/0", "2"], ["/b/1", "3"], "restarted"]);
    assert.deepEqual(
      validParts(slip).map(({ pointer }) => pointer),
      ["/a", "/b/0", "/b/1", "/b"],
    );
  });

  it("are the same for an answer from memory and for one that is joined", async () => {
    const gate = Promise.withResolvers<void>();
    const ports = portsOf({ ...good, hold: gate.promise });
    const both = [eventsOf(ports, json), eventsOf(ports, json)];
    await new Promise(setImmediate);
    gate.resolve();
    const all = [...(await Promise.all(both)), await eventsOf(ports, json)];
    assert.deepEqual(
      all.map((events) => completionOf(events).cacheStatus),
      [CacheStatus.MISS, CacheStatus.JOINED, CacheStatus.MEMORY_HIT],
    );
    for (const events of all) assert.deepEqual(validParts(events), parts);
  });

  it("agree with the completion, whatever the model writes and however it is cut", async () => {
    let finished = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seeded(seed);
      const value = randomObject(random);
      const text = pick(random, [
        () => spell(random, value).text,
        () => restyle(random, value),
        () => damage(random, JSON.stringify(value)),
      ])();
      const second = spell(random, value).text;
      const answers = [text, second].map((answer) => ({ deltas: cut(random, answer) }));
      try {
        const events = await eventsOf(portsOf(...answers), json);
        const root = readValue(completionOf(events).text, 0).value;
        const found = validParts(events);
        assert.equal(new Set(found.map(({ pointer }) => pointer)).size, found.length);
        assert.ok(Object.keys(Object(root)).length === found.filter(({ pointer }) => !pointer.includes("/", 1)).length);
        for (const part of found) {
          const said = JSON.stringify(readValue(part.text, 0).value);
          assert.equal(said, JSON.stringify(valueAt(root, part.pointer)), `seed ${seed}`);
        }
        finished += 1;
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
      }
    }
    assert.ok(finished > 100, `${finished} of 200 ended well`);
  });
});
