import { create } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import {
  type GenerationOptions,
  GenerationOptionsSchema,
  ReasoningEffort,
} from "../../../gen/sluice/v1/completion_input_pb.ts";
import type { ProblemReport } from "./problems.ts";
import type { YamlSource } from "./yaml-source.ts";

const NUMBERS = ["temperature", "top_p", "max_output_tokens", "presence_penalty", "frequency_penalty"] as const;
const KEYS: readonly string[] = [...NUMBERS, "stop", "seed", "reasoning_effort"];

const EFFORTS: Readonly<Record<string, ReasoningEffort>> = {
  minimal: ReasoningEffort.MINIMAL,
  low: ReasoningEffort.LOW,
  medium: ReasoningEffort.MEDIUM,
  high: ReasoningEffort.HIGH,
};

const MAX_INT64 = 2n ** 63n - 1n;

const validator = createValidator();

/** Reads the front matter's `generation`. The ranges are those of the contract's message, checked by its own rules. */
export function readGeneration(value: object, yaml: YamlSource, report: ProblemReport): GenerationOptions {
  const given = new Map<string, unknown>(Object.entries(value));
  const refuse = (key: string, message: string) =>
    report.add("generation", `generation.${key} ${message}`, yaml.lineOf(["generation", key]));
  for (const key of given.keys()) {
    if (!KEYS.includes(key))
      report.add(
        "unknown_key",
        `generation has no ${key}; it has ${KEYS.join(", ")}`,
        yaml.lineOf(["generation", key]),
      );
  }
  const number = (key: (typeof NUMBERS)[number]) => {
    const option = given.get(key);
    if (typeof option === "number" || option === undefined) return option;
    refuse(key, "must be a number");
    return undefined;
  };
  const maxOutputTokens = number("max_output_tokens");
  if (maxOutputTokens !== undefined && !(Number.isInteger(maxOutputTokens) && maxOutputTokens > 0)) {
    refuse("max_output_tokens", "must be a whole number above 0");
    return create(GenerationOptionsSchema);
  }
  const options = create(GenerationOptionsSchema, {
    temperature: number("temperature"),
    topP: number("top_p"),
    maxOutputTokens: maxOutputTokens && Math.min(maxOutputTokens, 2 ** 32 - 1),
    presencePenalty: number("presence_penalty"),
    frequencyPenalty: number("frequency_penalty"),
    stop: readStop(given.get("stop"), refuse),
    seed: given.has("seed") ? readSeed(yaml.spelling(["generation", "seed"]), refuse) : undefined,
    reasoningEffort: readEffort(given.get("reasoning_effort"), refuse),
  });
  for (const violation of validator.validate(GenerationOptionsSchema, options).violations ?? []) {
    const [field] = violation.field;
    refuse(field && "name" in field ? field.name : "", violation.message);
  }
  return options;
}

type Refuse = (key: string, message: string) => void;

function readStop(value: unknown, refuse: Refuse): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value;
  refuse("stop", "must be a list of texts");
  return [];
}

function readSeed(spelling: string | undefined, refuse: Refuse): bigint | undefined {
  // A double would change the digits of a large seed.
  const seed = /^-?\d{1,19}$/.test(spelling ?? "") ? BigInt(spelling ?? "") : undefined;
  if (seed !== undefined && seed <= MAX_INT64 && seed >= -MAX_INT64 - 1n) return seed;
  refuse("seed", "must be a whole number of at most 64 bits");
  return undefined;
}

function readEffort(value: unknown, refuse: Refuse): ReasoningEffort | undefined {
  if (value === undefined) return undefined;
  const effort = typeof value === "string" && Object.hasOwn(EFFORTS, value) ? EFFORTS[value] : undefined;
  if (effort === undefined) refuse("reasoning_effort", `must be one of ${Object.keys(EFFORTS).join(", ")}`);
  return effort;
}
