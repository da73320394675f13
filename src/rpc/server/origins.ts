import { cors as connectCors } from "@connectrpc/connect";
import { type HttpRequest, type HttpResponse, headerOf, hostOf, isEncrypted } from "./exchange.ts";

const ALLOWED_METHODS = [...new Set([...connectCors.allowedMethods, "OPTIONS"])].join(", ");
const ALLOWED_HEADERS = [...connectCors.allowedHeaders, "Authorization", "X-Api-Key"].join(", ");
const EXPOSED_HEADERS = [...connectCors.exposedHeaders, "Sluice-Call-Id", "Grpc-Retry-Pushback-Ms"].join(", ");
/** Longest that browsers keep the answer to a preflight (Chromium cuts it to this). */
const MAX_AGE_SECONDS = 7200;

/** What is to be done with a request by where it comes from. */
export type OriginVerdict = "serve" | "refuse" | "answered";

/**
 * Web pages may call from our own origin and from those listed, `cors`; a request without an origin comes from no page.
 * For a listed origin the headers that its browser asks for are set, and preflights are answered.
 */
export function createOriginCheck(
  cors: readonly string[],
): (request: HttpRequest, response: HttpResponse) => OriginVerdict {
  const listed = new Set(cors.map((origin) => origin.toLowerCase().replace(/\/$/, "")));
  return (request, response) => {
    const origin = headerOf(request, "origin");
    if (origin === undefined || isOwn(origin, request)) return "serve";
    if (!listed.has(origin.toLowerCase())) return "refuse";
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
    response.setHeader("vary", "origin");
    if (request.method !== "OPTIONS" || headerOf(request, "access-control-request-method") === undefined)
      return "serve";
    response.statusCode = 204;
    response.setHeader("access-control-allow-methods", ALLOWED_METHODS);
    response.setHeader("access-control-allow-headers", ALLOWED_HEADERS);
    response.setHeader("access-control-max-age", String(MAX_AGE_SECONDS));
    response.end();
    return "answered";
  };
}

function isOwn(origin: string, request: HttpRequest): boolean {
  const scheme = isEncrypted(request) ? "https" : "http";
  return origin.toLowerCase() === `${scheme}://${hostOf(request) ?? ""}`.toLowerCase();
}
