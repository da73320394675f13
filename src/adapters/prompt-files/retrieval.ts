import { create, fromJsonString } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import {
  type MetadataFilter,
  MetadataFilterSchema,
  OnRetrievalFailure,
  RetrievalInputSchema,
  RetrievalMode,
} from "../../../gen/sluice/v1/retrieval_pb.ts";
import { SluiceError } from "../../core/failure.ts";
import { readFilter as conditionsOf } from "../../core/metadata-filter.ts";
import type { PromptRetrieval } from "../../core/prompt.ts";
import type { ProblemReport } from "./problems.ts";
import type { YamlSource } from "./yaml-source.ts";

const KEYS = ["collection", "query", "top_k", "min_similarity", "filter", "mode", "on_failure"];

const MODES: Readonly<Record<string, RetrievalMode>> = {
  vector: RetrievalMode.VECTOR,
  hybrid: RetrievalMode.HYBRID,
};

const ON_FAILURE: Readonly<Record<string, OnRetrievalFailure>> = {
  fail: OnRetrievalFailure.FAIL,
  continue: OnRetrievalFailure.CONTINUE,
};

const validator = createValidator();

/**
 * Reads the front matter's `retrieval`: what the prompt looks up by itself. `query` names the variable whose text is
 * looked for. The ranges are those of the contract's message, checked by its own rules.
 */
export function readRetrieval(value: object, yaml: YamlSource, report: ProblemReport): PromptRetrieval | undefined {
  const given = new Map<string, unknown>(Object.entries(value));
  const refuse = (key: string, message: string) =>
    report.add("retrieval", `retrieval.${key} ${message}`, yaml.lineOf(["retrieval", key]));
  for (const key of given.keys()) {
    if (!KEYS.includes(key))
      report.add("unknown_key", `retrieval has no ${key}; it has ${KEYS.join(", ")}`, yaml.lineOf(["retrieval", key]));
  }
  const queryVariable = text(given.get("query"));
  if (!queryVariable) {
    refuse("query", "is required: the name of the variable whose text is looked for");
    return undefined;
  }
  const topK = number(given, "top_k", refuse);
  const input = create(RetrievalInputSchema, {
    collection: text(given.get("collection")) ?? refuseText(given, "collection", refuse),
    topK: topK === undefined || (Number.isInteger(topK) && topK > 0 && topK < 2 ** 32) ? topK : 2 ** 32 - 1,
    minSimilarity: number(given, "min_similarity", refuse),
    mode: word(given, "mode", MODES, refuse),
    onFailure: word(given, "on_failure", ON_FAILURE, refuse),
    filter: readFilter(given.get("filter"), refuse),
  });
  for (const violation of validator.validate(RetrievalInputSchema, input).violations ?? []) {
    const [field] = violation.field;
    refuse(field && "name" in field ? field.name : "", violation.message);
  }
  return { input, queryVariable };
}

/** The variable must be there in every call, and be a text: else nothing could be looked for. */
export function checkQueryVariable(
  retrieval: PromptRetrieval,
  inputSchema: object,
  yaml: YamlSource,
  report: ProblemReport,
): void {
  const { queryVariable } = retrieval;
  const required: unknown = Reflect.get(inputSchema, "required");
  const property: unknown = Reflect.get(Object(Reflect.get(inputSchema, "properties")), queryVariable);
  const isText = Reflect.get(Object(property), "type") === "string";
  const isRequired = Array.isArray(required) && required.includes(queryVariable);
  if (isText && isRequired) return;
  const message = `retrieval.query must name a variable of type string that input.schema requires; ${queryVariable} is none`;
  report.add("retrieval", message, yaml.lineOf(["retrieval", "query"]));
}

type Refuse = (key: string, message: string) => void;

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function refuseText(given: ReadonlyMap<string, unknown>, key: string, refuse: Refuse): string {
  if (given.has(key)) refuse(key, "must be a text");
  return "";
}

function number(given: ReadonlyMap<string, unknown>, key: string, refuse: Refuse): number | undefined {
  const value = given.get(key);
  if (typeof value === "number" || value === undefined) return value;
  refuse(key, "must be a number");
  return undefined;
}

function word<T>(
  given: ReadonlyMap<string, unknown>,
  key: string,
  words: Readonly<Record<string, T>>,
  refuse: Refuse,
): T | undefined {
  const value = given.get(key);
  if (value === undefined) return undefined;
  const found = typeof value === "string" && Object.hasOwn(words, value) ? words[value] : undefined;
  if (found === undefined) refuse(key, `must be one of ${Object.keys(words).join(", ")}`);
  return found;
}

/** As the contract's JSON has it. */
function readFilter(value: unknown, refuse: Refuse): MetadataFilter | undefined {
  if (value === undefined) return undefined;
  try {
    // YAML has read it as JSON would be.
    const filter = fromJsonString(MetadataFilterSchema, JSON.stringify(value));
    conditionsOf(filter, "filter");
    return filter;
  } catch (error) {
    if (error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST") {
      for (const { field, description } of error.failure.violations) refuse("filter", `${field}: ${description}`);
      return undefined;
    }
    refuse(
      "filter",
      `must be a filter as in the contract, such as {all: [{key: language, equals: en}]}: ${String(error)}`,
    );
  }
  return undefined;
}
