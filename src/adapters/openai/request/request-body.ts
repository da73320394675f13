import type OpenAI from "openai";
import type { ModelOutput, ModelRequest } from "../../../core/model.ts";
import { adaptSchema } from "./adapt-schema.ts";

export type MaxTokensField = "max_tokens" | "max_completion_tokens";

/** How one endpoint wants its requests; learned from its refusals where the configuration does not say. */
export interface RequestDialect {
  readonly maxTokensField: MaxTokensField;
  /** False for endpoints that refuse `stream_options`; they report no usage, or report it unasked. */
  readonly hasStreamOptions: boolean;
}

type Params = OpenAI.ChatCompletionCreateParams;

/**
 * The JSON text of a chat completion request. The seed and the schema are spliced in as text, so that their digits and
 * the order of their keys stay as they were given.
 * @param adapt what adapts schemas; the same ones come again and again, so a caller may remember.
 */
export function requestBody(request: ModelRequest, dialect: RequestDialect, adapt = adaptSchema): string {
  const { sampling, streamUpstream } = request;
  const params: Omit<Params, "seed" | "response_format"> = {
    model: request.providerModel,
    messages: request.messages.map(({ role, text }) => ({ role, content: text })),
    [dialect.maxTokensField]: sampling.maxOutputTokens,
    ...(sampling.temperature !== undefined && { temperature: sampling.temperature }),
    ...(sampling.topP !== undefined && { top_p: sampling.topP }),
    ...(sampling.stop.length > 0 && { stop: [...sampling.stop] }),
    ...(sampling.presencePenalty !== undefined && { presence_penalty: sampling.presencePenalty }),
    ...(sampling.frequencyPenalty !== undefined && { frequency_penalty: sampling.frequencyPenalty }),
    ...(sampling.reasoningEffort !== undefined && { reasoning_effort: sampling.reasoningEffort }),
    stream: streamUpstream,
    ...(streamUpstream && dialect.hasStreamOptions && { stream_options: { include_usage: true } }),
  };
  const spliced = [
    ...(sampling.seed === undefined ? [] : [`"seed":${sampling.seed}`]),
    ...responseFormat(request.output, adapt),
  ];
  return [JSON.stringify(params).slice(0, -1), ...spliced].join(",").concat("}");
}

/** The member `response_format`, as JSON text, where a native JSON mode is asked for. */
function responseFormat(output: ModelOutput, adapt: typeof adaptSchema): readonly string[] {
  if (output.kind === "text" || output.mode === "prompt") return [];
  if (output.mode === "json_object") {
    const format: OpenAI.ResponseFormatJSONObject = { type: "json_object" };
    return [`"response_format":${JSON.stringify(format)}`];
  }
  const { schemaText, strict } = adapt(output.schemaText);
  const named: Omit<OpenAI.ResponseFormatJSONSchema["json_schema"], "schema"> = { name: "answer", strict };
  const jsonSchema = `${JSON.stringify(named).slice(0, -1)},"schema":${schemaText}}`;
  return [`"response_format":{"type":"json_schema","json_schema":${jsonSchema}}`];
}
