import { type ModelEvent, UpstreamError } from "../../../core/model.ts";
import { BrokenAnswerError } from "../errors/network-error.ts";
import type { AttemptLimits } from "../http/attempt-limits.ts";
import { BodyTooLargeError, type HttpResponse } from "../http/client.ts";
import { MAX_ERROR_BODY_BYTES, MAX_EVENT_BYTES, MAX_JSON_BODY_BYTES, MAX_STREAM_BODY_BYTES } from "../limits.ts";
import { readJsonAnswer } from "./json-answer.ts";
import { sniffFormat } from "./sniff.ts";
import { SseError, SseReader } from "./sse.ts";
import { StreamAnswer } from "./stream-answer.ts";
import type { AnswerContext } from "./summary.ts";

/** How long the usage is waited for after the model said why it stopped. */
const USAGE_WAIT_MS = 2_000;

/**
 * Reads the body of a good response, streamed or not, whatever was asked for.
 * @throws UpstreamError; what the connection throws when it breaks.
 */
export async function* readAnswer(
  response: HttpResponse,
  context: AnswerContext,
  limits: AttemptLimits,
): AsyncGenerator<ModelEvent, void, undefined> {
  const contentType = response.headers["content-type"] ?? "";
  let start: Uint8Array = new Uint8Array();
  let format: "json" | "sse" | undefined;
  while (format === undefined) {
    const piece = await response.next(MAX_JSON_BODY_BYTES);
    if (piece === undefined) break;
    start = start.length === 0 ? piece : Buffer.concat([start, piece]);
    format = sniffFormat(start, contentType);
  }
  if (format === "sse") return yield* readStream(start, response, context, limits);
  limits.answerBegan();
  yield* await readDocument(start, response, context);
}

async function readDocument(
  start: Uint8Array,
  response: HttpResponse,
  context: AnswerContext,
): Promise<readonly ModelEvent[]> {
  const pieces = [start];
  try {
    for (
      let piece = await response.next(MAX_JSON_BODY_BYTES);
      piece;
      piece = await response.next(MAX_JSON_BODY_BYTES)
    ) {
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof BodyTooLargeError) throw interrupted(context, error);
    throw error;
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
  } catch (error) {
    throw interrupted(context, error);
  }
  return readJsonAnswer(text, context);
}

async function* readStream(
  start: Uint8Array,
  response: HttpResponse,
  context: AnswerContext,
  limits: AttemptLimits,
): AsyncGenerator<ModelEvent, void, undefined> {
  const sse = new SseReader(MAX_EVENT_BYTES);
  const answer = new StreamAnswer(context);
  try {
    let piece: Uint8Array | undefined = start;
    while (piece) {
      const { text, error } = textOfPiece(sse, piece, answer, limits);
      if (text !== "") yield { kind: "delta", text };
      if (error !== undefined) throw error;
      // Nothing is waited for after [DONE], not even the end of the body.
      piece = answer.isDone ? undefined : await nextOf(response, answer, limits);
    }
    const text = lastText(sse, answer);
    if (text !== "") yield { kind: "delta", text };
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    if (error instanceof SseError || error instanceof BodyTooLargeError) throw answer.interrupted(error);
    throw new BrokenAnswerError(answer.usage, { cause: error });
  }
  const end = answer.end();
  response.release();
  yield end;
}

/**
 * The text of all events that arrived together, as one delta: a provider that sends a thousand events at once would
 * otherwise make a thousand steps of everything behind. What came before an error is told with it.
 */
function textOfPiece(
  sse: SseReader,
  piece: Uint8Array,
  answer: StreamAnswer,
  limits: AttemptLimits,
): { readonly text: string; readonly error?: unknown } {
  let text = "";
  try {
    for (const event of sse.push(piece)) {
      limits.answerBegan();
      text += answer.push(event);
    }
  } catch (error) {
    return { text, error };
  }
  return { text };
}

/**
 * The next piece of a stream. Once the model said why it stopped, a connection that breaks or falls silent costs no more
 * than the usage, so it counts as the end.
 */
async function nextOf(
  response: HttpResponse,
  answer: StreamAnswer,
  limits: AttemptLimits,
): Promise<Uint8Array | undefined> {
  if (!answer.isFinished) return response.next(MAX_STREAM_BODY_BYTES);
  limits.shortenIdle(USAGE_WAIT_MS);
  try {
    return await response.next(MAX_STREAM_BODY_BYTES);
  } catch (error) {
    if (limits.isAborted) throw error;
    return undefined;
  }
}

/** The text of an event whose closing blank line never came. After the finish reason, nothing there can be missed. */
function lastText(sse: SseReader, answer: StreamAnswer): string {
  if (answer.isDone) return "";
  try {
    const last = sse.end();
    return last ? answer.push(last) : "";
  } catch (error) {
    if (answer.isFinished) return "";
    throw error;
  }
}

/**
 * As much of an error's body as arrives, up to 64 KiB. A body that breaks off or never comes is no reason to forget the
 * status, which is known.
 */
export async function readErrorText(response: HttpResponse): Promise<string> {
  const pieces: Uint8Array[] = [];
  try {
    for (
      let piece = await response.next(MAX_ERROR_BODY_BYTES);
      piece;
      piece = await response.next(MAX_ERROR_BODY_BYTES)
    ) {
      pieces.push(piece);
    }
  } catch {
    // What arrived is judged.
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

function interrupted(context: AnswerContext, cause: unknown): UpstreamError {
  return new UpstreamError({ kind: "stream_interrupted", httpStatus: context.httpStatus }, { cause });
}
