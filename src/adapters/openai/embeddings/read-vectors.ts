import type OpenAI from "openai";
import type { EmbeddingAnswer, EmbeddingRequest } from "../../../core/embedding.ts";
import { UpstreamError, type UpstreamErrorFields } from "../../../core/model.ts";
import type { TokenCounts } from "../../../core/money.ts";
import { modelNameOf } from "../answer/model-name.ts";
import { readUsage } from "../answer/usage.ts";
import { isErrorEnvelope } from "../errors/error-body.ts";
import { parseJson, type Untrusted, untrusted } from "../untrusted.ts";

/** What is known of the response whose body is read. */
export interface VectorsContext {
  readonly httpStatus: number;
  /** The failure that an error's body is. */
  classify(body: string): UpstreamErrorFields;
}

type Violation = NonNullable<UpstreamErrorFields["violations"]>[number];

/** Most that are told. */
const MAX_VIOLATIONS = 8;

/** Below this a vector has no direction that a float could keep. */
const LEAST_LENGTH = 1e-12;

/**
 * Reads a response: one vector of length 1 for each text, in their order, whatever the order of the response.
 * @throws UpstreamError `bad_vectors` with what is wrong by JSON path, `wrong_dimension`, `stream_interrupted` for a body
 *   that was cut, `empty_answer` for one that is none, or what an error's body says.
 */
export function readVectors(
  text: string,
  { texts, dimension }: Pick<EmbeddingRequest, "texts" | "dimension">,
  context: VectorsContext,
): EmbeddingAnswer {
  const { httpStatus } = context;
  const body = text.replace(/^\uFEFF/, "").trim();
  const json = parseJson(body);
  if (json === undefined) {
    throw new UpstreamError({ kind: body.startsWith("{") ? "stream_interrupted" : "empty_answer", httpStatus });
  }
  if (isErrorEnvelope(json)) throw new UpstreamError(context.classify(body));
  const response = untrusted<OpenAI.CreateEmbeddingResponse>(json);
  const usage = promptUsage(response.usage);
  const refuse = (kind: "bad_vectors" | "wrong_dimension", violations: readonly Violation[]) =>
    new UpstreamError({ kind, httpStatus, violations, ...(usage && { usage }) });
  const { data } = response;
  if (!Array.isArray(data) || data.length !== texts.length) {
    const got = Array.isArray(data) ? `${data.length} items` : "no list";
    throw refuse("bad_vectors", [{ path: "/data", rule: "count", expected: `${texts.length} items`, got }]);
  }
  const { vectors, violations } = inOrder(data, dimension);
  if (violations.length > 0) {
    const isDimension = violations.every(({ rule, got }) => rule === "dimension" && got === violations[0]?.got);
    const isAll = isDimension && violations.length === Math.min(texts.length, MAX_VIOLATIONS);
    throw refuse(isAll ? "wrong_dimension" : "bad_vectors", violations);
  }
  const servedModel = modelNameOf(response.model);
  return {
    vectors,
    ...(usage && { promptTokens: usage.promptTokens }),
    ...(servedModel !== undefined && { servedModel }),
  };
}

function inOrder(data: readonly unknown[], dimension: number) {
  const vectors: Float32Array[] = new Array(data.length);
  const violations: Violation[] = [];
  const seen = new Set<number>();
  for (const [place, item] of data.entries()) {
    if (violations.length >= MAX_VIOLATIONS) break;
    const { index = place, embedding } = untrusted<OpenAI.Embedding>(item);
    const path = `/data/${place}`;
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= data.length || seen.has(index)) {
      const expected = "the place of a text, each once";
      violations.push({ path: `${path}/index`, rule: "index", expected, got: shown(index) });
      continue;
    }
    seen.add(index);
    const vector = vectorOf(embedding, dimension, `${path}/embedding`);
    if (vector instanceof Float32Array) vectors[index] = vector;
    else violations.push(vector);
  }
  return { vectors, violations };
}

/** Numbers, or the bytes of floats (little endian) in base64, whichever came. */
function vectorOf(embedding: unknown, dimension: number, path: string): Float32Array | Violation {
  const numbers = typeof embedding === "string" ? floatsOf(embedding) : embedding;
  if (!Array.isArray(numbers) && !(numbers instanceof Float32Array)) {
    return { path, rule: "type", expected: "a list of numbers", got: typeof embedding };
  }
  if (numbers.length !== dimension) {
    return { path, rule: "dimension", expected: `${dimension} numbers`, got: `${numbers.length} numbers` };
  }
  let squares = 0;
  for (let at = 0; at < numbers.length; at += 1) {
    const number: unknown = numbers[at];
    // A double beyond the floats would be infinite in one.
    if (typeof number !== "number" || !Number.isFinite(Math.fround(number))) {
      return { path: `${path}/${at}`, rule: "finite", expected: "a finite number", got: shown(number) };
    }
    squares += number * number;
  }
  const length = Math.sqrt(squares);
  if (!(length > LEAST_LENGTH) || !Number.isFinite(length)) {
    return { path, rule: "length", expected: "a vector with a direction", got: length === 0 ? "zeros" : "no length" };
  }
  return Float32Array.from(numbers, (number: number) => number / length);
}

function floatsOf(base64: string): Float32Array | undefined {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}

/** Embeddings have no completion; some providers know only the total. */
function promptUsage(value: unknown): TokenCounts | undefined {
  const usage: Untrusted<OpenAI.CreateEmbeddingResponse.Usage> = untrusted(value);
  return readUsage({ prompt_tokens: usage.prompt_tokens ?? usage.total_tokens, completion_tokens: 0 });
}

/** A type or a short number: never a text, which may be the caller's. */
function shown(value: unknown): string {
  return typeof value === "number" || value === null ? String(value) : typeof value;
}
