import type { MaxTokensField } from "./request-body.ts";

/** Where a provider's endpoints are and how it wants to be addressed. */
export interface EndpointOptions {
  /** Up to and including the version, such as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** Absent for servers that want none. */
  readonly apiKey?: string;
  /** Default: `api-key` for Azure's hosts, else `authorization` (as a bearer token). */
  readonly authHeader?: "authorization" | "api-key";
  /** Sent with every request. They may replace the default ones. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Put into the URL, such as Azure's `api-version`. */
  readonly query?: Readonly<Record<string, string>>;
  /** Default: `max_completion_tokens` for OpenAI and Azure, whose reasoning models take nothing else, else `max_tokens`. */
  readonly maxTokensField?: MaxTokensField;
}

export interface Endpoint {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxTokensField: MaxTokensField;
}

const AZURE = /(?:^|\.)(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$/;
const OPENAI = /(?:^|\.)api\.openai\.com$/;

/**
 * @param path of the endpoint below the base URL.
 * @throws TypeError for a base URL that is no http(s) URL or holds credentials.
 */
export function endpointOf(options: EndpointOptions, path = "/chat/completions"): Endpoint {
  const url = new URL(options.baseUrl);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError("the base URL must be http or https");
  if (url.username || url.password) throw new TypeError("the base URL must not hold credentials");
  url.pathname = `${url.pathname.replace(/\/+$/, "")}${path}`;
  for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, value);
  const isAzure = AZURE.test(url.hostname);
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    headers: {
      "content-type": "application/json",
      // Bodies are read as they come; nothing here unpacks them.
      "accept-encoding": "identity",
      "user-agent": "sluice",
      ...authorization(options, isAzure),
      ...lowerCased(options.headers ?? {}),
    },
    maxTokensField:
      options.maxTokensField ?? (isAzure || OPENAI.test(url.hostname) ? "max_completion_tokens" : "max_tokens"),
  };
}

function authorization(options: EndpointOptions, isAzure: boolean): Record<string, string> {
  if (options.apiKey === undefined || options.apiKey === "") return {};
  const header = options.authHeader ?? (isAzure ? "api-key" : "authorization");
  return { [header]: header === "api-key" ? options.apiKey : `Bearer ${options.apiKey}` };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
