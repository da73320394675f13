import type { UpstreamErrorKind } from "../../../core/model.ts";

/** Statuses that decide by themselves, once no structured code did. */
const DECISIVE: ReadonlyMap<number, UpstreamErrorKind> = new Map<number, UpstreamErrorKind>([
  [401, "auth_invalid"],
  [402, "quota_exhausted"],
  [404, "model_not_found"],
  [408, "overloaded"],
  [409, "overloaded"],
  [424, "overloaded"],
  [425, "overloaded"],
  [429, "rate_limited"],
  // Groq: no flex capacity.
  [498, "overloaded"],
  // Ollama and nginx: the request was cancelled on the way, not by us.
  [499, "overloaded"],
]);

/** The statuses that otherwise come with these words, for errors that arrive in a good response and state none. */
const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  ["api_error", 500],
  ["invalid_request_error", 400],
  ["invalid_argument", 400],
  ["badrequesterror", 400],
  ["bad_request", 400],
]);

/** `undefined` where no word stands for a status. */
export function statusOfCodes(codes: readonly string[]): number | undefined {
  return codes.map((code) => STATUS_OF_CODE.get(code)).find((status) => status !== undefined);
}

/** What a status says by itself; `undefined` where the message is asked first. */
export function kindOfStatus(status: number): UpstreamErrorKind | undefined {
  return DECISIVE.get(status);
}

/** What a status says when the message said nothing either. */
export function kindOfSilentStatus(status: number, hasBody: boolean): UpstreamErrorKind {
  // Cerebras answers a prompt that is too long with 400 or 413 and no body at all.
  if (!hasBody && (status === 400 || status === 413)) return "context_overflow";
  if (status === 403) return "permission_denied";
  if (status === 413) return "payload_too_large";
  if (status === 501 || status === 505) return "request_refused";
  if (status >= 500 && status <= 599) return "overloaded";
  // Redirects are not followed: the key must not go where a redirect points.
  if (status >= 300 && status <= 499) return "request_refused";
  return "unknown";
}
