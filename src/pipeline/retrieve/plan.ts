import type { Message } from "../../../gen/sluice/v1/message_pb.ts";
import { Role } from "../../../gen/sluice/v1/message_pb.ts";
import { OnRetrievalFailure, type RetrievalInput, RetrievalMode } from "../../../gen/sluice/v1/retrieval_pb.ts";
import type { MetadataCondition } from "../../core/corpus.ts";
import { invalidRequest } from "../../core/failure.ts";
import { readFilter } from "../../core/metadata-filter.ts";
import type { LoadedPrompt } from "../../core/prompt.ts";
import type { ValidInput } from "../validate.ts";

/** What to look for where: plain values, since they are part of the cache's keys. */
export interface RetrievalPlan {
  readonly collection: string;
  readonly query: string;
  readonly topK: number;
  readonly minSimilarity?: number;
  readonly filter: readonly MetadataCondition[];
  readonly isHybrid: boolean;
  /** Whether a completion goes on without it where a store or the embedding model is away. */
  readonly isOptional: boolean;
}

const DEFAULT_TOP_K = 8;

/** Of a message that is longer its two ends are looked for: what is asked mostly stands at one of them. */
const MAX_DERIVED_CHARACTERS = 4000;

/**
 * The plan of a Retrieve call.
 * @throws SluiceError INVALID_REQUEST.
 */
export function readPlan(input: RetrievalInput, field: string): RetrievalPlan {
  return merged(input, undefined, () => input.query, field);
}

/**
 * The plan of a completion: the request's, field by field before the prompt's own. Undefined where nothing is to be
 * retrieved.
 * @throws SluiceError INVALID_REQUEST.
 */
export function planRetrieval(valid: ValidInput, prompt: LoadedPrompt | undefined): RetrievalPlan | undefined {
  const { retrieval: asked, context } = valid.input;
  // Who brings chunks of its own and asks for no others gets no others.
  const own = prompt?.retrieval && (asked || !context?.chunks.length) ? prompt.retrieval : undefined;
  if (!asked && !own?.input.collection) return undefined;
  const derived = () => (own ? variableText(valid, own.queryVariable) : lastUserText(valid.input.messages));
  return merged(asked, own?.input, () => asked?.query || clipped(derived()), "input.retrieval");
}

function merged(
  asked: RetrievalInput | undefined,
  own: RetrievalInput | undefined,
  queryOf: () => string,
  field: string,
): RetrievalPlan {
  const collection = asked?.collection || own?.collection;
  if (!collection) throw invalidRequest(`${field}.collection`, "required", "value is required");
  const query = queryOf();
  if (!/[\p{L}\p{N}]/u.test(query)) {
    const what = "must hold a letter or a digit; name what to look for, where neither prompt nor messages say it";
    throw invalidRequest(`${field}.query`, "retrieval.query", what);
  }
  const minSimilarity = asked?.minSimilarity ?? own?.minSimilarity;
  return {
    collection,
    query: query.toWellFormed(),
    topK: asked?.topK ?? own?.topK ?? DEFAULT_TOP_K,
    ...(minSimilarity !== undefined && { minSimilarity }),
    filter: readFilter(asked?.filter ?? own?.filter, `${field}.filter`),
    isHybrid: (asked?.mode || own?.mode) === RetrievalMode.HYBRID,
    isOptional: (asked?.onFailure || own?.onFailure) === OnRetrievalFailure.CONTINUE,
  };
}

function variableText({ variables }: ValidInput, name: string): string {
  const value: unknown = Reflect.get(Object(variables.value), name);
  return typeof value === "string" ? value : "";
}

function lastUserText(messages: readonly Message[]): string {
  const last = messages.findLast(({ role }) => role === Role.USER);
  return last?.content.map((part) => part.content.value ?? "").join("") ?? "";
}

function clipped(text: string): string {
  const half = MAX_DERIVED_CHARACTERS / 2;
  return text.length <= MAX_DERIVED_CHARACTERS ? text : `${text.slice(0, half)}\n${text.slice(-half)}`;
}
