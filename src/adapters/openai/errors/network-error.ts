import { errors } from "undici";
import { UpstreamError, type UpstreamErrorKind } from "../../../core/model.ts";
import type { TokenCounts } from "../../../core/money.ts";

/** An answer that broke off after the provider had reported tokens for it. */
export class BrokenAnswerError extends Error {
  readonly usage: TokenCounts | undefined;

  constructor(usage: TokenCounts | undefined, options: { cause: unknown }) {
    super("the answer broke off", options);
    this.name = "BrokenAnswerError";
    this.usage = usage;
  }
}

/**
 * The failure behind whatever ended an attempt: one that is classified already stays; a passed limit is its timeout;
 * a broken connection is `unreachable` before the response's header and `stream_interrupted` after it. What no network
 * does (a TypeError, say) is a bug and comes back as it is.
 */
export function networkError(error: unknown, httpStatus: number, expired: UpstreamErrorKind | undefined): unknown {
  if (error instanceof UpstreamError) return error;
  const usage = error instanceof BrokenAnswerError && error.usage ? { usage: error.usage } : {};
  if (expired) return new UpstreamError({ kind: expired, httpStatus, ...usage }, { cause: error });
  const code = codeOf(error);
  if (code === undefined) return error instanceof BrokenAnswerError ? error.cause : error;
  const kind = httpStatus === 0 ? "unreachable" : "stream_interrupted";
  return new UpstreamError({ kind, httpStatus, code, ...usage }, { cause: error });
}

/** Codes of Node's sockets, of TLS, of undici and of its parser, such as ECONNREFUSED, UND_ERR_SOCKET, HPE_INVALID_EOF_STATE; wrong arguments are bugs. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code !== undefined && !code.includes("INVALID_ARG")) return code.slice(0, 100);
  // The parser gives some of its errors no code.
  if (error instanceof errors.HTTPParserError) return error.name;
  return error.cause === undefined ? undefined : codeOf(error.cause);
}
