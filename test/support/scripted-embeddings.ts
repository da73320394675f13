import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request that came, and what the server will bill for it. */
export interface ReceivedEmbedding {
  readonly path: string;
  /** Names in lower case. */
  readonly headers: IncomingMessage["headers"];
  readonly model: string;
  readonly texts: readonly string[];
  /** The whole body. */
  readonly json: Readonly<Record<string, unknown>>;
  /** What `usage.prompt_tokens` says: the words of all texts. */
  readonly promptTokens: number;
}

/** What the server does to one request in place of a good answer. */
export type EmbeddingFault =
  /** An error, in OpenAI's envelope unless `body` says otherwise. A text is sent as it is. */
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** A 200 whose body was changed, or replaced by the returned value. A text is sent as it is. */
  | { readonly edit: (body: EmbeddingBody) => unknown }
  /** The connection is reset before the answer. */
  | { readonly reset: true }
  /** The header and the first bytes of a good answer, then the end of the connection. */
  | { readonly cut_after_bytes: number }
  /** No answer at all, until the client leaves. */
  | { readonly silence: true };

/** A good answer, as `edit` gets it. */
export interface EmbeddingBody {
  object: string;
  model: string;
  data: { object: string; index: number; embedding: number[] | string }[];
  usage?: { prompt_tokens: number; total_tokens: number };
}

export interface ScriptedEmbeddingsOptions {
  /** Numbers of a vector. Default 64. */
  readonly dimension?: number;
  /** Wait before each answer. Default 0. */
  readonly delayMs?: number;
  /** Whether answers say how many tokens they cost. Default true. */
  readonly reportsUsage?: boolean;
  /** Requests with more texts get a 400, as providers do. Default: no limit. */
  readonly maxTexts?: number;
}

export interface ScriptedEmbeddings {
  /** What a provider's `base_url` is set to: `http://127.0.0.1:40123/v1`. */
  readonly baseUrl: string;
  readonly dimension: number;
  /** Every complete request, in the order in which they came, those that failed too. */
  readonly requests: readonly ReceivedEmbedding[];
  /** The texts of all requests, in order. */
  readonly texts: readonly string[];
  /** The server's own log of what it billed: the tokens of the good answers that it began to send. */
  readonly billedTokens: number;
  /** Connections that are open now. */
  readonly openConnections: number;
  /** Most requests that were under way at once. */
  readonly mostAtOnce: number;
  /** The next requests get these, one each; then all is well again. */
  failNext(...faults: readonly EmbeddingFault[]): void;
  /** Asked for each request that `failNext` has nothing for; undefined: a good answer. Replaces the last such function. */
  failWhen(choose: (request: ReceivedEmbedding) => EmbeddingFault | undefined): void;
  /** From now on requests wait; the returned function lets them, and all later ones, go on. */
  hold(): () => void;
  /** Resolves when so many requests have come. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts an HTTP server on 127.0.0.1 that answers `POST /v1/embeddings` as OpenAI does, in either encoding, with the
 * vectors of `wordVector`: the same text always has the same one, and texts that share words are near each other.
 *
 * A configuration for it: `providers: { test: { base_url: <baseUrl> } }` and `embedding_models: { words: { provider:
 * test, model: words-v1, dimension: 64 } }`.
 */
export async function startScriptedEmbeddings(options: ScriptedEmbeddingsOptions = {}): Promise<ScriptedEmbeddings> {
  const { dimension = 64, delayMs = 0, reportsUsage = true, maxTexts = Number.POSITIVE_INFINITY } = options;
  const requests: ReceivedEmbedding[] = [];
  const faults: EmbeddingFault[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let choose: (request: ReceivedEmbedding) => EmbeddingFault | undefined = () => undefined;
  let gate: Promise<void> = Promise.resolve();
  let billedTokens = 0;
  let underWay = 0;
  let mostAtOnce = 0;
  let openConnections = 0;

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received = await readRequest(incoming);
    requests.push(received);
    for (const waiter of waiting) if (requests.length >= waiter.count) waiter.resolve();
    const fault = faults.shift() ?? choose(received) ?? tooMany(received, maxTexts);
    await gate;
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const body = goodBody(received, dimension, reportsUsage);
    if (!fault || "edit" in fault || "cut_after_bytes" in fault) billedTokens += received.promptTokens;
    send(response, body, fault);
  };

  const server = createServer((incoming, response) => {
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    response.once("close", () => {
      underWay -= 1;
    });
    answer(incoming, response).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    openConnections += 1;
    socket.once("close", () => {
      openConnections -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    dimension,
    requests,
    get texts() {
      return requests.flatMap(({ texts }) => texts);
    },
    get billedTokens() {
      return billedTokens;
    },
    get openConnections() {
      return openConnections;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    failNext: (...next) => void faults.push(...next),
    failWhen(next) {
      choose = next;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    received: (count) =>
      requests.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * The vector of a text, of length 1: each of its words, in lower case, stands for eight numbers, so that the cosine of
 * two texts is about the share of the words that they have in common. The larger the dimension, the truer.
 */
export function wordVector(text: string, dimension: number): number[] {
  const vector = new Array<number>(dimension).fill(0);
  const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]);
  for (const word of words) {
    const hash = createHash("sha256").update(word).digest();
    for (let i = 0; i < 8; i += 1) {
      const place = hash.readUInt32LE(i * 4);
      const at = (place >>> 1) % dimension;
      vector[at] = (vector[at] ?? 0) + (place & 1 ? 1 : -1);
    }
  }
  const length = Math.hypot(...vector);
  // Words can cancel each other out; that text has a place of its own then.
  if (length === 0) return vector.map((_, i) => (i === text.length % dimension ? 1 : 0));
  return vector.map((value) => value / length);
}

/** The words of a text, which is what the server bills. */
export function wordCount(text: string): number {
  return text.split(/\s+/).filter((word) => word !== "").length;
}

async function readRequest(incoming: IncomingMessage): Promise<ReceivedEmbedding> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece);
  const json = JSON.parse(Buffer.concat(pieces).toString());
  const texts: string[] = Array.isArray(json.input) ? json.input : [json.input];
  return {
    path: incoming.url ?? "",
    headers: incoming.headers,
    model: String(json.model),
    texts,
    json,
    promptTokens: texts.reduce((sum, text) => sum + wordCount(text), 0),
  };
}

function tooMany({ texts }: ReceivedEmbedding, maxTexts: number): EmbeddingFault | undefined {
  if (texts.length <= maxTexts) return undefined;
  const message = `Invalid 'input': array too long. Expected an array with maximum length ${maxTexts}, but got an array with length ${texts.length} instead.`;
  const error = { message, type: "invalid_request_error", param: "input", code: "array_above_max_length" };
  return { status: 400, body: { error } };
}

function goodBody({ model, texts, json, promptTokens }: ReceivedEmbedding, dimension: number, reportsUsage: boolean) {
  const encode = json.encoding_format === "base64" ? base64Of : (vector: number[]) => vector;
  const body: EmbeddingBody = {
    object: "list",
    model,
    data: texts.map((text, index) => ({
      object: "embedding",
      index,
      embedding: encode(wordVector(text, dimension)),
    })),
    ...(reportsUsage && { usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } }),
  };
  return body;
}

/** The numbers as OpenAI writes them in base64: 32-bit floats, little end first. */
export function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes.toString("base64");
}

function send(response: ServerResponse, body: EmbeddingBody, fault: EmbeddingFault | undefined): void {
  if (fault && "silence" in fault) return;
  if (fault && "reset" in fault) {
    response.socket?.resetAndDestroy();
    return;
  }
  if (fault && "status" in fault) {
    const error = { message: `scripted ${fault.status}`, type: "scripted_error", param: null, code: null };
    respond(response, fault.status, fault.body ?? { error }, fault.headers);
    return;
  }
  if (fault && "cut_after_bytes" in fault) {
    const bytes = Buffer.from(JSON.stringify(body));
    response.writeHead(200, { "content-type": "application/json", "content-length": bytes.length });
    response.write(bytes.subarray(0, fault.cut_after_bytes), () => response.destroy());
    return;
  }
  respond(response, 200, fault ? fault.edit(body) : body);
}

function respond(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const isText = typeof body === "string";
  const bytes = Buffer.from(isText ? body : JSON.stringify(body));
  response.writeHead(status, {
    "content-type": isText ? "text/plain" : "application/json",
    "content-length": bytes.length,
    ...headers,
  });
  response.end(bytes);
}
