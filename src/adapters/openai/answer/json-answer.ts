import type OpenAI from "openai";
import { type ModelEvent, UpstreamError } from "../../../core/model.ts";
import { isErrorEnvelope } from "../errors/error-body.ts";
import { filterCategory, wasFilterDown } from "../filter-category.ts";
import { parseJson, untrusted } from "../untrusted.ts";
import { textOf } from "./content.ts";
import { readFinish } from "./finish-reasons.ts";
import { modelNameOf } from "./model-name.ts";
import { type AnswerContext, endOf } from "./summary.ts";
import { readUsage } from "./usage.ts";

interface VendorChoice extends OpenAI.ChatCompletion.Choice {
  /** Azure's content filter. */
  content_filter_results: unknown;
}

/**
 * Reads an answer that came as one JSON document: at most one delta, and the end.
 * @throws UpstreamError for everything in a 200 that is no answer.
 */
export function readJsonAnswer(text: string, context: AnswerContext): readonly ModelEvent[] {
  const { httpStatus, acceptsMissingFinish, classify } = context;
  const body = text.replace(/^\uFEFF/, "").trim();
  const json = parseJson(body);
  // Text that starts as JSON and does not end as JSON was cut; any other text, such as a proxy's page, is no answer.
  if (json === undefined) {
    throw new UpstreamError({ kind: body.startsWith("{") ? "stream_interrupted" : "empty_answer", httpStatus });
  }
  if (isErrorEnvelope(json)) throw new UpstreamError(classify(body));
  const completion = untrusted<OpenAI.ChatCompletion>(json);
  const usage = readUsage(completion.usage);
  if (!Array.isArray(completion.choices) || completion.choices.length === 0) {
    throw new UpstreamError({ kind: "empty_answer", httpStatus, ...(usage && { usage }) });
  }
  const choice = untrusted<VendorChoice>(completion.choices[0]);
  const message = untrusted<OpenAI.ChatCompletionMessage>(choice.message);
  const answer = textOf(message.content);
  if (!answer.isWellFormed())
    throw new UpstreamError({ kind: "stream_interrupted", httpStatus, ...(usage && { usage }) });
  const finishReason = typeof choice.finish_reason === "string" ? choice.finish_reason : "";
  const end = endOf({
    finish: readFinish(finishReason) ?? (acceptsMissingFinish && answer !== "" ? "stop" : undefined),
    finishReason,
    hasText: answer !== "",
    isRefused: typeof message.refusal === "string" && message.refusal !== "",
    filterCategory: filterCategory(choice.content_filter_results),
    usage,
    servedModel: modelNameOf(completion.model),
    httpStatus,
  });
  if (wasFilterDown(choice.content_filter_results)) context.onUnfiltered();
  return answer === "" ? [end] : [{ kind: "delta", text: answer }, end];
}
