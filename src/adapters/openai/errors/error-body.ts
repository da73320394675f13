import { isObject, parseJson } from "../untrusted.ts";

/** What the many shapes of error bodies have in common. */
export interface ProviderError {
  /**
   * Words that name the error, lower case, the most specific first: `code`, `type`, `status`, reasons in details. HTTP
   * statuses in their place are not words.
   */
  readonly codes: readonly string[];
  /** An HTTP status that the body states, which is the true one where a proxy answered with its own. */
  readonly status: number | undefined;
  /** The message for people, at most 2,000 characters; HTML without its tags. Empty where there is none. */
  readonly message: string;
  readonly param: string;
  /** The objects in which providers hide details: the error itself, its metadata, Google's `details`. */
  readonly details: readonly Readonly<Record<string, unknown>>[];
}

const MAX_MESSAGE_CHARS = 2_000;
const MAX_DETAILS = 20;

/** True for JSON that is an error, whatever the status it came with. */
export function isErrorEnvelope(json: unknown): boolean {
  if (Array.isArray(json)) return isErrorEnvelope(json[0]);
  if (!isObject(json)) return false;
  return (
    json.type === "error" ||
    json.object === "error" ||
    (json.error !== null && json.error !== undefined && json.error !== "")
  );
}

/**
 * Reads any provider's error body:
 * - OpenAI and most others: `{"error": {"message", "type", "param", "code"}}`
 * - Anthropic: `{"type": "error", "error": {"type", "message"}}`
 * - Gemini's compatible endpoint: the same in an array, with Google's `status` and `details`
 * - Mistral, old vLLM: flat `{"object": "error", "message", "type", "code"}`, where `message` may be an object
 * - Ollama: `{"error": "text"}`; FastAPI: `{"detail": "text"}` or a list; AWS: `{"__type", "message"}`
 * - OpenRouter: `error.metadata.raw` holds the body of the provider behind it
 * - proxies: HTML, plain text, nothing
 */
export function readErrorBody(text: string): ProviderError {
  const json = parseJson(text.replace(/^\uFEFF/, ""));
  const body = Array.isArray(json) ? json[0] : json;
  if (!isObject(body)) return plainError(json === undefined ? withoutTags(text) : text);
  const error = isObject(body.error) ? body.error : body;
  const details = detailsOf(body, error);
  const behind = behindProxy(error);
  const names = [
    error.code,
    ...details.map((detail) => detail.reason),
    error.type,
    error.status,
    body.__type,
    body.type,
  ];
  return {
    codes: [...names.flatMap(asCode), ...(behind?.codes ?? [])],
    status: statusOf(error.code) ?? statusOf(error.status) ?? statusOf(body.raw_status_code) ?? behind?.status,
    message: bounded([messageOf(body, error), behind?.message ?? ""].filter(Boolean).join(" ")),
    param: typeof error.param === "string" ? error.param.slice(0, 200) : "",
    details: [...details, ...(behind?.details ?? [])].slice(0, MAX_DETAILS),
  };
}

function plainError(text: string): ProviderError {
  return { codes: [], status: undefined, message: bounded(text.trim()), param: "", details: [] };
}

function messageOf(body: Readonly<Record<string, unknown>>, error: Readonly<Record<string, unknown>>): string {
  const message = error.message ?? error.Message ?? body.message ?? body.error ?? body.detail ?? body.errors ?? "";
  return typeof message === "string" ? message : JSON.stringify(message);
}

/** OpenRouter passes the text of the provider behind it on, as JSON in a string. Read one level deep, no more. */
function behindProxy(error: Readonly<Record<string, unknown>>): ProviderError | undefined {
  const raw = isObject(error.metadata) ? error.metadata.raw : undefined;
  if (typeof raw !== "string" || raw === "") return undefined;
  const inner = parseJson(raw);
  const isNested = isObject(inner) && isObject(inner.error) && isObject(inner.error.metadata);
  return isNested ? undefined : readErrorBody(raw);
}

function detailsOf(
  body: Readonly<Record<string, unknown>>,
  error: Readonly<Record<string, unknown>>,
): readonly Readonly<Record<string, unknown>>[] {
  const listed = Array.isArray(error.details) ? error.details.slice(0, MAX_DETAILS) : [];
  return [error, error.metadata, error.innererror, ...listed, body].filter(isObject);
}

/** A name as a lower-case word. AWS writes `com.amazon#ThrottlingException:http://…`; statuses are no words. */
function asCode(value: unknown): readonly string[] {
  if (statusOf(value) !== undefined) return [];
  if (typeof value === "number") return [String(value)];
  if (typeof value !== "string") return [];
  const word = value.slice(0, 200).replace(/^.*#/, "").replace(/:.*$/, "").trim().toLowerCase();
  return word === "" || word === "error" ? [] : [word];
}

function statusOf(value: unknown): number | undefined {
  const status = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined;
}

function withoutTags(text: string): string {
  const head = text.slice(0, 4 * MAX_MESSAGE_CHARS);
  return head.includes("<") ? head.replace(/<[^<>]*>/g, " ").replace(/\s+/g, " ") : head;
}

function bounded(text: string): string {
  return text.slice(0, MAX_MESSAGE_CHARS);
}
