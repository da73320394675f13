import { hash } from "node:crypto";
import {
  chunk,
  events,
  failure,
  type ReceivedCall,
  type ScriptedStep,
  startScriptedUpstream,
  usageChunk,
} from "../../test/support/scripted-upstream.ts";
import type { Question } from "./plan.ts";

/** What the provider said it used. Cached and written tokens are part of the prompt, reasoning of the completion. */
export interface ReportedTokens {
  readonly prompt: number;
  readonly cached: number;
  readonly written: number;
  readonly completion: number;
  readonly reasoning: number;
}

/** A request as the provider saw it, and what it did with it. */
export interface LoggedRequest {
  /** From the header by which Sluice names its requests: the id of the call and the number of the attempt. */
  readonly callId: string;
  readonly attempt: number;
  readonly question: string;
  readonly providerModel: string;
  readonly outcome:
    | { readonly kind: "reported"; readonly tokens: ReportedTokens }
    /** Refused: no tokens were used. */
    | { readonly kind: "refused" }
    /** Nothing was reported: what was asked, and what was answered before it ended. */
    | { readonly kind: "unreported"; readonly prompt: readonly string[]; readonly answer: string };
}

export interface WeekUpstream {
  readonly url: string;
  readonly log: readonly LoggedRequest[];
  /** Makes a question known. */
  ask(question: Question): void;
  /** Resolves when a request for it has come. */
  received(question: string): Promise<void>;
  close(): Promise<void>;
}

/** How long the model takes, so that calls of one moment meet. */
const DELAY_MS = 10;
const PIECES = ["The ferry ", "sails at nine, ", "as it does every day."];
export const WHOLE_TEXT = PIECES.join("");
const GOOD_JSON = '{"answer": "nine"}';
const BAD_JSON = '{"answer": 9}';

/** A provider that knows each question, reports token counts that depend on the question, and keeps a log of its own. */
export async function startWeekUpstream(): Promise<WeekUpstream> {
  const questions = new Map<string, Question>();
  const counts = new Map<string, number>();
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const log: LoggedRequest[] = [];
  const arrival = (question: string) => {
    const known = waiting.get(question) ?? Promise.withResolvers<void>();
    waiting.set(question, known);
    return known;
  };
  const upstream = await startScriptedUpstream((call) => {
    const question = questions.get(/\[q:([a-z0-9-]+)\]/.exec(call.body)?.[1] ?? "");
    if (!question) throw new Error("the model was asked what nobody asks");
    const { id } = question;
    const before = counts.get(id) ?? 0;
    counts.set(id, before + 1);
    const request = requestOf(call, id);
    const { step, outcome } = answerTo(question, before, request);
    const { prompt: _, ...named } = request;
    log.push({ ...named, outcome });
    if (question.kind === "left_unary") arrival(id).resolve();
    return step;
  });
  return {
    url: upstream.url,
    log,
    ask: (question) => questions.set(question.id, question),
    received: (question) => arrival(question).promise,
    close: () => upstream.close(),
  };
}

type Request = ReturnType<typeof requestOf>;

function requestOf(call: ReceivedCall, question: string) {
  const [, callId = "", attempt = ""] = /^(.+)-(\d+)$/.exec(call.headers["x-request-id"] ?? "") ?? [];
  return {
    callId,
    attempt: Number(attempt),
    question,
    providerModel: String(call.json?.model),
    prompt: textsOf(call.json?.messages),
  };
}

interface Answer {
  readonly step: ScriptedStep;
  readonly outcome: LoggedRequest["outcome"];
}

/** `before`: how many requests there were for the question. */
function answerTo({ kind, isJson }: Question, before: number, request: Request): Answer {
  const isFirst = before === 0;
  const isDown = request.providerModel === "week-shaky" || request.providerModel === "week-broken";
  const tokens = tokensFor(`${request.question} ${kind === "plain" ? 0 : before}`);
  if (kind === "down" && isDown) return refused(503, "The server is overloaded.");
  if (kind === "retry" && isFirst) return refused(500, "The server had an error.");
  if (kind === "filtered") return refused(400, "Refused.", "content_filter");
  if (kind === "left_unary") return { step: { action: "hang" }, outcome: unreported(request, "") };
  if (kind === "left_stream") return { step: pieces({ end: "hang" }), outcome: unreported(request, WHOLE_TEXT) };
  if (kind === "cut" && isFirst) return { step: pieces({ end: "fin" }), outcome: unreported(request, WHOLE_TEXT) };
  if (kind === "silent") return { step: whole(PIECES), outcome: unreported(request, WHOLE_TEXT) };
  const isBad = kind === "hopeless" || (kind === "correction" && isFirst);
  const texts = isJson ? [isBad ? BAD_JSON : GOOD_JSON] : PIECES;
  return { step: whole(texts, tokens), outcome: { kind: "reported", tokens } };
}

function refused(status: number, message: string, code: string | null = null): Answer {
  return { step: failure(status, { message, type: "error", code }), outcome: { kind: "refused" } };
}

function unreported({ prompt }: Request, answer: string): LoggedRequest["outcome"] {
  return { kind: "unreported", prompt, answer };
}

function pieces(more: { readonly end: "hang" | "fin" }): ScriptedStep {
  return events(
    PIECES.map((content) => chunk({ content })),
    { delay_ms: DELAY_MS, ...more },
  );
}

function whole(texts: readonly string[], tokens?: ReportedTokens): ScriptedStep {
  const ends = [chunk({}, "stop"), ...(tokens ? [usageChunk(wireUsage(tokens))] : []), { data: "[DONE]" }];
  return events([...texts.map((content) => chunk({ content })), ...ends], { delay_ms: DELAY_MS });
}

function wireUsage({ prompt, cached, written, completion, reasoning }: ReportedTokens) {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached, ...(written > 0 && { cache_write_tokens: written }) },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

/** Made of the name: the same question always takes the same. */
function tokensFor(name: string): ReportedTokens {
  const bytes = hash("sha256", name, "buffer");
  const below = (index: number, limit: number) => bytes.readUInt32LE(index * 4) % limit;
  const prompt = 60 + below(0, 5_000);
  const cached = below(1, 3) === 0 ? below(2, prompt) : 0;
  const written = below(3, 4) === 0 ? below(4, prompt - cached) : 0;
  const completion = 1 + below(5, 900);
  const reasoning = below(6, 3) === 0 ? below(7, completion + 1) : 0;
  return { prompt, cached, written, completion, reasoning };
}

function textsOf(messages: unknown): string[] {
  if (!Array.isArray(messages)) return [];
  return messages.map((message: { readonly content?: unknown }) => String(message.content));
}
