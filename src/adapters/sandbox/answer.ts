import type { ModelRequest } from "../../core/model.ts";
import type { AnswerKind } from "./behaviours.ts";
import { fillSchema } from "./json/fill.ts";
import { wrongShape } from "./json/wrong-shape.ts";
import { readRequest } from "./request-text.ts";
import { quoteAnswer } from "./text/quote-answer.ts";

const MAX_ECHO_CHARACTERS = 8_192;

/** No parser can close this without inventing data. */
const MALFORMED_JSON = '{"note": "this answer breaks off inside its JSON", "items": [1, 2,';

/** Longer than any number of output tokens that a sandbox model allows: a sentence has 6 tokens or more. */
const ENDLESS_SENTENCES = 2_000;

/** The text that a sandbox model answers a request with. */
export function answerText(kind: AnswerKind, request: ModelRequest): string {
  switch (kind) {
    case "extract":
      return extract(request);
    case "echo":
      return echo(request);
    case "endless":
      return Array.from({ length: ENDLESS_SENTENCES }, (_, i) => `This is sentence number ${i + 1}.`).join(" ");
    case "malformed-json":
      return MALFORMED_JSON;
    case "wrong-shape":
      return request.output.kind === "json"
        ? JSON.stringify(wrongShape(JSON.parse(request.output.schemaText), readRequest(request)), null, 2)
        : extract(request);
  }
}

function extract(request: ModelRequest): string {
  const read = readRequest(request);
  if (request.output.kind === "text") return quoteAnswer(read);
  return JSON.stringify(fillSchema(JSON.parse(request.output.schemaText), read), null, 2);
}

function echo(request: ModelRequest): string {
  const text = request.messages.findLast((message) => message.role === "user")?.text ?? "";
  // By characters, so that the bound never leaves half of one.
  return text.length <= MAX_ECHO_CHARACTERS
    ? text
    : [...text.slice(0, MAX_ECHO_CHARACTERS - 1)].join("").toWellFormed();
}
