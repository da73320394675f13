import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import {
  CacheMode,
  CompletionInputSchema,
  Overflow,
  ReasoningEffort,
} from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { certainlyValid } from "../../src/pipeline/validate/quick-pass.ts";
import { pick, seeded } from "./parse/random.ts";

type Init = MessageInitShape<typeof CompletionInputSchema>;

const validator = createValidator();
const RUNS = 3_000;

type Some = readonly [unknown, ...unknown[]];

/** Mostly values within the limits, now and then one beyond; a seed gives the same input each time. */
function randomInput(random: () => number): Init {
  const some = <const Good extends Some, const Bad extends Some>(good: Good, bad: Bad): Good[number] | Bad[number] =>
    random() < 0.04 ? pick(random, bad) : pick(random, good);
  const maybe = <T>(make: () => T): T | undefined => (random() < 0.4 ? make() : undefined);
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const text = () => some(["a", "x".repeat(128), "é".repeat(64)], ["", "\0", "x".repeat(129), "é".repeat(65), "\n"]);
  const penalty = () => some([0, 2, -2, 0.5], [-2.5, 2.1, Number.NaN, Number.POSITIVE_INFINITY]);
  const check = () => ({ rule: some(["true"], ["", "r".repeat(2049)]), message: some(["m"], ["", "m".repeat(513)]) });
  const usesPrompt = random() < 0.5;
  const prompt = () => ({
    name: some(["summarize", "a-b"], ["", "A", "a-", "x".repeat(65)]),
    version: some(["", "latest", "v1"], ["v0", "1"]),
    variables: maybe(() => ({ text: "x" })),
    variablesJson: some(["", ""], ["{}", "\0"]),
  });
  const part = () => some([{ content: { case: "text", value: text() } }], [{}]);
  const message = () => ({
    role: some([Role.USER, Role.SYSTEM], [Role.UNSPECIFIED, 9 as Role]),
    content: many(some([1, 2], [0]), part),
  });
  return {
    prompt: usesPrompt ? prompt() : some([undefined], [prompt()]),
    messages: usesPrompt ? [] : many(some([1, 2, 256], [0, 257]), message),
    model: some(["", "fast", "sandbox/extract"], ["!", "x".repeat(129)]),
    output: maybe(() => ({
      format: some(
        [
          { case: "text", value: { checks: many(some([0, 1, 16], [17]), check) } },
          { case: "json", value: { schema: some(["{}"], ["", "{", "{}\0"]), checks: many(1, check) } },
        ],
        [{ case: undefined }],
      ),
    })),
    context: maybe(() => ({
      chunks: many(some([0, 1, 3], [257]), () => ({
        id: some([String(random())], ["", "c\n", "same", "same"]),
        text: some(["t"], [""]),
        score: maybe(() => some([0, -1.5], [Number.NaN])),
      })),
    })),
    generation: maybe(() => ({
      temperature: maybe(() => some([0, 2], [-1, 2.1, Number.NaN])),
      topP: maybe(() => some([0.1, 1], [0, 1.1])),
      maxOutputTokens: maybe(() => some([1, 1_000_000], [0, 1_000_001])),
      stop: many(some([0, 4], [5]), text),
      presencePenalty: maybe(penalty),
      frequencyPenalty: maybe(penalty),
      reasoningEffort: some([ReasoningEffort.UNSPECIFIED, ReasoningEffort.HIGH], [77 as ReasoningEffort]),
    })),
    cache: maybe(() => ({
      mode: some([CacheMode.DEFAULT], [9 as CacheMode]),
      ttlSeconds: maybe(() => some([1, 2_592_000], [0, 2_592_001])),
    })),
    overflow: some([Overflow.UNSPECIFIED, Overflow.REJECT], [12 as Overflow]),
    attribution: maybe(() => ({ feature: text(), user: text() })),
    idempotencyKey: some(["", "order-4711", "~".repeat(255)], ["a b", "a\0", "a\n", "é", "\ud800", "x".repeat(256)]),
  };
}

describe("the quick pass over the contract's rules", () => {
  it("says of nothing that it is valid which the full validator refuses", () => {
    let passed = 0;
    for (let seed = 0; seed < RUNS; seed += 1) {
      const input = create(CompletionInputSchema, randomInput(seeded(seed)));
      if (!certainlyValid(CompletionInputSchema, input)) continue;
      passed += 1;
      assert.equal(validator.validate(CompletionInputSchema, input).kind, "valid", `seed ${seed}`);
    }
    assert.ok(passed > RUNS / 10 && passed < RUNS, String(passed));
  });

  it("knows every rule of the contract: whatever is valid passes", () => {
    let valid = 0;
    for (let seed = 0; seed < RUNS; seed += 1) {
      const input = create(CompletionInputSchema, randomInput(seeded(seed)));
      if (validator.validate(CompletionInputSchema, input).kind !== "valid") continue;
      valid += 1;
      assert.ok(certainlyValid(CompletionInputSchema, input), `seed ${seed}`);
    }
    assert.ok(valid > RUNS / 10, String(valid));
  });
});
