import type { MessageInitShape } from "@bufbuild/protobuf";
import { CacheMode, type CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import type { RepeatedText, ScenarioRequest } from "./scenario.ts";
import { celRule } from "./semantic-rule.ts";

export type Input = Exclude<MessageInitShape<typeof CompletionInputSchema>, { $typeName: string }>;

/** The request of a scenario as a caller of the service writes it. Each call is new: neither cached nor shared. */
export function scenarioInput(request: ScenarioRequest): Input {
  const schema = request.schema_text ?? (request.schema && JSON.stringify(request.schema));
  const { semantic_rule: rule } = request;
  const checks = rule ? [{ rule: celRule(rule.js), message: rule.name }] : [];
  return {
    model: "small-1",
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: instructionText(request) } }] }],
    output: {
      format: schema === null ? { case: "text", value: { checks } } : { case: "json", value: { schema, checks } },
    },
    context: {
      chunks: request.context_chunks.map(({ id, score, ...text }) => ({
        id,
        text: "text" in text ? text.text : repeated(text),
        ...(score !== undefined && { score }),
      })),
    },
    cache: { mode: CacheMode.BYPASS },
  };
}

export function instructionText({ instruction, instruction_repeat: repeat }: ScenarioRequest): string {
  if (repeat === undefined) return instruction;
  return typeof repeat === "number" ? instruction.repeat(repeat) : repeated(repeat);
}

function repeated({ repeat, times }: RepeatedText): string {
  return repeat.repeat(times);
}
