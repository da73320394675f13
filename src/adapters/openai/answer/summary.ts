import { type ModelEvent, UpstreamError, type UpstreamErrorFields } from "../../../core/model.ts";
import type { TokenCounts } from "../../../core/money.ts";
import type { Finish } from "./finish-reasons.ts";

/** What the reader of an answer has to know besides its bytes. */
export interface AnswerContext {
  readonly httpStatus: number;
  /**
   * Whether an answer that ended in good order (`[DONE]`, or a whole JSON document) counts as complete although its
   * finish reason is missing. Only where what follows can tell a whole answer from a cut one, as a strict JSON parser
   * can; a text without a finish reason proves nothing.
   */
  readonly acceptsMissingFinish: boolean;
  /** Classifies an error body that came with a good status. */
  readonly classify: (bodyText: string) => UpstreamErrorFields;
  /** Called when the provider says that the answer passed without its content filter, which was down. */
  readonly onUnfiltered: () => void;
}

/** What became known of an answer by the time it ended, streamed or not. */
export interface AnswerSummary {
  /** `undefined`: the model never said why it stopped. */
  readonly finish: Finish | undefined;
  /** The provider's own word, for the log. */
  readonly finishReason: string;
  readonly hasText: boolean;
  /** The model declined in the field made for it. */
  readonly isRefused: boolean;
  /** The categories of a filter that fired; empty where none was named. */
  readonly filterCategory: string;
  readonly usage: TokenCounts | undefined;
  readonly servedModel: string | undefined;
  readonly httpStatus: number;
}

type End = Extract<ModelEvent, { kind: "end" }>;

/**
 * The end event of an answer, or the failure that it is although its status was 200.
 *
 * `length` without any text is an end, not an error: the model spent its tokens on reasoning, and the cure (more
 * tokens) is the same as for a cut text. `length` after 0 completion tokens is a prompt that filled the window.
 * @throws UpstreamError
 */
export function endOf(answer: AnswerSummary): End {
  const { finish, usage, servedModel } = answer;
  if (answer.isRefused) throw failure(answer, "content_filtered_output", { category: "refusal" });
  switch (finish) {
    case undefined:
    case "broken":
      throw failure(answer, "stream_interrupted");
    case "filtered":
      throw failure(answer, "content_filtered_output", { category: answer.filterCategory || answer.finishReason });
    case "tool_call":
      throw failure(answer, "empty_answer");
    case "window_full":
      throw failure(answer, "context_overflow");
    case "overloaded":
      throw failure(answer, "overloaded");
    case "unknown":
      throw failure(answer, "unknown", { sample: `finish_reason ${answer.finishReason}`.slice(0, 100) });
    case "stop":
      if (!answer.hasText) throw failure(answer, "empty_answer");
      break;
    case "length":
      if (!answer.hasText && usage?.completionTokens === 0) throw failure(answer, "context_overflow");
      break;
  }
  return { kind: "end", finish, ...(usage && { usage }), ...(servedModel && { servedModel }) };
}

function failure(
  answer: AnswerSummary,
  kind: UpstreamErrorFields["kind"],
  more: Partial<UpstreamErrorFields> = {},
): UpstreamError {
  return new UpstreamError({
    kind,
    httpStatus: answer.httpStatus,
    ...more,
    ...(answer.usage && { usage: answer.usage }),
  });
}
