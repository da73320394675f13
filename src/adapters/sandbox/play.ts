import type { Clock } from "../../core/clock.ts";
import { type AttemptTimeouts, type ModelEvent, type ModelRequest, UpstreamError } from "../../core/model.ts";
import { TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT, type TokenCounter } from "../../core/tokens.ts";
import { answerText } from "./answer.ts";
import type { AnswerKind, Scene } from "./behaviours.ts";
import { boundAnswer } from "./bound-answer.ts";

/** The counter's family: it has no factor of its own, so that counts are plain o200k. */
const FAMILY = "sandbox";

export interface Stage {
  readonly clock: Clock;
  readonly counter: TokenCounter;
  readonly paceMs: number;
  readonly name: string;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
}

/**
 * Plays one attempt: words at their pace, then the end, under the time limits of the attempt as a real adapter keeps
 * them. An answer that fails or falls silent needs words to send before it does; it has those of the extract.
 * @throws UpstreamError as the scene says or when a limit is over; the signal's reason when it is aborted.
 */
export async function* play(scene: Scene, stage: Stage): AsyncGenerator<ModelEvent> {
  const { request, counter, signal } = stage;
  const wait = createWait(stage.clock, request.timeouts, signal);
  const kind: AnswerKind = "answer" in scene ? scene.answer : "extract";
  const answer = boundAnswer(answerText(kind, request), request.sampling, (text) => counter.count(text, FAMILY));
  const words = request.streamUpstream ? splitIntoDeltas(answer.text) : [answer.text];
  const sent = deltasBeforeFailure(scene);
  // Without a stream a failure after the first words is one before anything came.
  const playable = sent === undefined ? words : words.slice(0, request.streamUpstream ? sent : 0);

  let limit: TimeLimit = "first_byte_timeout";
  for (const text of playable) {
    await wait(stage.paceMs, limit);
    if (text !== "") yield { kind: "delta", text };
    limit = "idle_timeout";
  }
  if ("silentAfterDeltas" in scene) await wait(Number.POSITIVE_INFINITY, limit);
  if ("failsAfterDeltas" in scene) {
    await wait(stage.paceMs, limit);
    throw new UpstreamError(scene.error);
  }
  yield {
    kind: "end",
    finish: answer.finish,
    usage: {
      promptTokens: promptTokens(request, counter),
      cachedPromptTokens: 0,
      completionTokens: counter.count(answer.text, FAMILY),
      reasoningTokens: 0,
    },
    servedModel: stage.name,
  };
}

function deltasBeforeFailure(scene: Scene): number | undefined {
  if ("failsAfterDeltas" in scene) return scene.failsAfterDeltas;
  return "silentAfterDeltas" in scene ? scene.silentAfterDeltas : undefined;
}

/** Words with the white space before them; text without any is cut every 24 characters, none of them in half. */
export function splitIntoDeltas(text: string): readonly string[] {
  return text.match(/\s+$|\s*\S{1,24}/gu) ?? [];
}

type TimeLimit = "first_byte_timeout" | "idle_timeout";

/** Waits that end early with a timeout where the limit of the piece, or of the whole attempt, is shorter. */
function createWait(clock: Clock, timeouts: AttemptTimeouts, signal: AbortSignal) {
  const endMs = clock.monotonicMs() + timeouts.attemptMs;
  return async (delayMs: number, limit: TimeLimit): Promise<void> => {
    signal.throwIfAborted();
    const pieceMs = limit === "first_byte_timeout" ? timeouts.firstByteMs : timeouts.idleMs;
    const leftMs = Math.max(0, endMs - clock.monotonicMs());
    const allowedMs = Math.min(pieceMs, leftMs);
    if (delayMs > 0) await clock.sleep(Math.min(delayMs, allowedMs), signal);
    if (delayMs > allowedMs) {
      throw new UpstreamError({ kind: pieceMs <= leftMs ? limit : "attempt_timeout", httpStatus: 0 });
    }
  };
}

function promptTokens(request: ModelRequest, counter: TokenCounter): number {
  let tokens = TOKENS_PER_PROMPT;
  for (const message of request.messages) tokens += TOKENS_PER_MESSAGE + counter.count(message.text, FAMILY);
  return tokens;
}
