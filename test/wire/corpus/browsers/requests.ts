import { complete, framed, sends, streamComplete } from "../../case.ts";
import { contentTypeOf, type Speech } from "../../speech.ts";
import { KEY, PAGE } from "../../wire-server.ts";
import type { BrowserCase } from "../browsers.ts";
import { asksIn, messageIn } from "./script.ts";

const ANSWERED = "0 with 3 messages";

/** What is not in the body: content type, method, origin and key. */
export function requests(speech: Speech): readonly BrowserCase[] {
  const asks = asksIn(speech, "\nx");
  const type = contentTypeOf(speech);
  const { protocol, notation } = speech;
  const typed = (contentType: string, ends: string): BrowserCase => ({
    name: `says the content type ${contentType}`,
    method: streamComplete,
    headers: { "content-type": contentType },
    steps: asks,
    ends,
  });
  const to = (name: string, headers: BrowserCase["headers"], rest: Partial<BrowserCase>): BrowserCase => ({
    ...{ name, headers, method: streamComplete, steps: asks, ends: ANSWERED },
    ...rest,
  });
  const refusedCharset = protocol === "connect" ? "3 INVALID_REQUEST" : "3 INVALID_REQUEST";
  return [
    typed(type.toUpperCase(), ANSWERED),
    typed(`${type}; charset=utf-8`, notation === "json" ? ANSWERED : refusedCharset),
    typed(`${type}x`, "3 INVALID_REQUEST"),
    typed(`application/${protocol}+thrift`, "3 INVALID_REQUEST"),
    typed("application/json", "http 415"),
    typed("text/plain", "http 415"),
    to("says another version of Connect", { "connect-protocol-version": "2" }, {}),
    to("sends PUT", { ":method": "PUT" }, { ends: "3 INVALID_REQUEST", handler: [] }),
    to(
      "calls a unary method",
      {},
      { method: complete, ends: protocol === "connect" ? "3 INVALID_REQUEST" : "0 with 1 message" },
    ),
    to("calls from a page that is known", { origin: PAGE }, { server: "paged" }),
    to(
      "calls from a page that is known and gets an error",
      { origin: PAGE },
      {
        server: "paged",
        steps: asksIn(speech, "messages=1 then=fail:CACHE_MISS"),
        ends: "9 CACHE_MISS with 1 message",
      },
    ),
    to("calls from a page that is not known", { origin: PAGE }, { ends: "7 PERMISSION_DENIED", handler: [] }),
    to("calls from nowhere", { origin: "null" }, { server: "paged", ends: "7 PERMISSION_DENIED", handler: [] }),
    to("names a foreign host", hostHeader(speech, "evil.example"), { ends: "7 PERMISSION_DENIED", handler: [] }),
    to("has no key", {}, { server: "keyed", ends: "16 UNAUTHENTICATED", handler: [] }),
    to("has its key", { "x-api-key": KEY }, { server: "keyed" }),
    to(
      "has no key and a body that cannot be read",
      {},
      {
        server: "keyed",
        steps: sends(framed(messageIn(speech, ""), { flags: 9 })),
        ends: "16 UNAUTHENTICATED",
        handler: [],
      },
    ),
  ];
}

function hostHeader({ http }: Speech, host: string): Record<string, string> {
  return http === "HTTP/1.1" ? { host } : { ":authority": host };
}
