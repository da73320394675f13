import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { HeaderReader } from "../auth.ts";

/** Reads single headers as web `Headers` would, without making them. */
export class ReceivedHeaders implements HeaderReader {
  readonly #headers: IncomingHttpHeaders;

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers;
  }

  /** @param name in lower case. */
  get(name: string): string | null {
    const value = this.#headers[name];
    if (value === undefined) return null;
    return Array.isArray(value) ? value.join(", ") : value.trim();
  }
}

/** Web headers, without what HTTP/2 keeps for itself. */
export function toHeaders(headers: IncomingHttpHeaders | OutgoingHttpHeaders): Headers {
  const made = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    if (Array.isArray(value)) for (const item of value) made.append(name, item);
    else made.append(name, String(value));
  }
  return made;
}

/** Headers as Node takes them; only `set-cookie` comes more than once. */
export function fromHeaders(headers: Headers): OutgoingHttpHeaders {
  const made: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const before = made[name];
    made[name] = before === undefined ? value : [before, value].flat();
  }
  return made;
}
