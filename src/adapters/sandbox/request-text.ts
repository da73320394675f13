import type { ModelRequest } from "../../core/model.ts";
import { enclosedTexts } from "./text/enclosed-texts.ts";

/** More text than this is not read, so that no request holds the process for long. */
export const MAX_READ_CHARACTERS = 65_536;

/** What a request asks, taken apart. */
export interface RequestText {
  /** What is to be worked on: the longest text between tags or fences of the user's messages, else the longest message. */
  readonly document: string;
  /** What is to be done with it: the rest of the last user message. */
  readonly instruction: string;
  /** The rules of the application. */
  readonly system: string;
  /** Context to quote by id. */
  readonly chunks: ModelRequest["chunks"];
}

/** Takes a request apart. The same request always gives the same parts. */
export function readRequest(request: ModelRequest): RequestText {
  const prompt = request.messages.slice(0, request.messages.length - request.messagesOfCorrection);
  const textsOf = (role: "system" | "user") =>
    prompt.filter((message) => message.role === role).map((message) => message.text);
  const users = textsOf("user").map((text) => withoutChunks(text, request.chunks).slice(0, MAX_READ_CHARACTERS));
  const last = users.at(-1) ?? "";
  const document = longest(users.flatMap(enclosedTexts)) || withoutLeadIn(longest(users));
  const rest = document === last.trim() ? last : last.replace(document, () => " ");
  return {
    document,
    instruction: rest.trim(),
    system: textsOf("system").join("\n").slice(0, MAX_READ_CHARACTERS),
    chunks: readableChunks(request.chunks),
  };
}

/** Context is quoted by its id and must not be taken for the question, wherever the prompt shows it. */
function withoutChunks(text: string, chunks: RequestText["chunks"]): string {
  let rest = text;
  for (const { id, text: chunk } of chunks) rest = rest.replace(chunk, () => "").replace(`[${id}]`, () => "");
  return rest;
}

function longest(texts: readonly string[]): string {
  return texts.reduce((best, text) => (text.length > best.length ? text : best), "");
}

/** Drops a first line such as "Summarize this text:" before a longer rest. */
function withoutLeadIn(text: string): string {
  const match = /^[^\n]{1,300}:[ \t]*\n/.exec(text);
  const rest = match ? text.slice(match[0].length) : "";
  return rest.trim().length > (match?.[0].length ?? 0) ? rest : text;
}

/** The first chunks, as many as together fit what is read. */
function readableChunks(chunks: RequestText["chunks"]): RequestText["chunks"] {
  let left = MAX_READ_CHARACTERS;
  return chunks.flatMap(({ id, text }) => {
    const readable = text.slice(0, left);
    left -= readable.length;
    return readable === "" ? [] : [{ id, text: readable }];
  });
}
