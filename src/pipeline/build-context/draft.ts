import type { CompletionInput, ContextChunk } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { Overflow } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { type Message, Role } from "../../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../core/failure.ts";
import type { JsonSchema, JsonSchemas } from "../../core/json-schema.ts";
import type { ChatMessage } from "../../core/model.ts";
import type { LoadedPrompt, PromptLibrary } from "../../core/prompt.ts";
import { type Checks, NO_CHECKS } from "../../core/semantic-check.ts";
import { planRetrieval, type RetrievalPlan } from "../retrieve/plan.ts";
import type { ValidInput } from "../validate.ts";
import { mergeSampling, type RequestedSampling } from "./sampling.ts";
import { findTemplateToken } from "./template-tokens.ts";

/** What is asked of the answer. */
export type DraftOutput =
  | { readonly kind: "text"; readonly checks: Checks }
  | { readonly kind: "json"; readonly schema: JsonSchema; readonly exampleText: string; readonly checks: Checks };

/** A request whose names are resolved but which is not yet fitted to a model's window. */
export interface Draft {
  readonly prompt?: LoadedPrompt;
  /** The alias that the request or the prompt names; absent where neither does. */
  readonly modelAlias?: string;
  readonly output: DraftOutput;
  /** Of the prompt, for the checks of its answer; empty where messages were given. */
  readonly variables: unknown;
  /** The same, with numbers as the prompt prints them: see `PromptVariables`. */
  readonly spelledVariables: unknown;
  /** The texts that the caller's own messages say; none where a prompt was named. */
  readonly said: readonly string[];
  readonly sampling: RequestedSampling;
  /** Whether the request itself says how many tokens the answer may have; a prompt file's number is where to begin. */
  readonly isOutputCapped: boolean;
  /** What is to be retrieved; absent where nothing is. What was found is in `chunks` once it was. */
  readonly retrieval?: RetrievalPlan;
  /** In the order they are shown. */
  readonly chunks: readonly ContextChunk[];
  readonly mayTruncate: boolean;
  /**
   * The path of the first text that holds a chat-template token, which some servers would read as structure. Searches
   * all texts when it is called: most servers take such texts for text, and nobody asks.
   */
  templateTokenField(): string | undefined;
  /** Whether the messages are a conversation, whose oldest turns may be dropped; a prompt's sections never are. */
  readonly isConversation: boolean;
  /** The messages with no chunks shown. */
  readonly withoutChunks: readonly ChatMessage[];
  /** The messages with these chunks shown in the place that the prompt has for them, if it has one. */
  render(chunks: readonly ContextChunk[]): readonly ChatMessage[];
  /** Whether `render` shows the chunks. Where it does not, the built-in context block does. */
  readonly showsChunks: boolean;
}

/**
 * Resolves the prompt and its defaults.
 * @throws SluiceError UNKNOWN_PROMPT, or INVALID_REQUEST with the path of the variable.
 */
export function draftRequest(ports: { prompts: PromptLibrary; schemas: JsonSchemas }, valid: ValidInput): Draft {
  const { input } = valid;
  const prompt = input.prompt && ports.prompts.get(input.prompt.name, input.prompt.version);
  const showsChunks = prompt?.usesContext ?? false;
  const withoutChunks = prompt
    ? withFieldsOfInput(valid, () => prompt.render(valid.variables, []))
    : conversation(input);
  return {
    prompt,
    modelAlias: input.model || prompt?.model || undefined,
    output: resolveOutput(ports.schemas, valid, prompt),
    variables: valid.variables.value,
    spelledVariables: valid.variables.spelled,
    said: prompt ? [] : withoutChunks.map(({ text }) => text),
    isOutputCapped: input.generation?.maxOutputTokens !== undefined,
    sampling: mergeSampling(input.generation, prompt?.generation),
    retrieval: planRetrieval(valid, prompt),
    chunks: input.context?.chunks ?? [],
    templateTokenField: () => findTemplateToken(valid, prompt, withoutChunks),
    mayTruncate: input.overflow !== Overflow.REJECT,
    isConversation: prompt === undefined,
    showsChunks,
    withoutChunks,
    // What shows no chunks is the same with any.
    render: (chunks) =>
      prompt && showsChunks && chunks.length ? prompt.render(valid.variables, chunks) : withoutChunks,
  };
}

/** A prompt knows its `variables`; the caller wrote them somewhere in the input. */
function withFieldsOfInput<T>({ input }: ValidInput, render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof SluiceError) || error.failure.reason !== "INVALID_REQUEST") throw error;
    const where = input.prompt?.variablesJson ? "input.prompt.variables_json" : "input.prompt.variables";
    const violations = error.failure.violations.map((violation) => ({
      ...violation,
      field: violation.field.replace(/^variables\b/, where),
    }));
    throw new SluiceError({ reason: "INVALID_REQUEST", violations });
  }
}

/** A request's own output stands in place of the prompt's, and so do its checks: those of another schema would not fit. */
function resolveOutput(schemas: JsonSchemas, valid: ValidInput, prompt: LoadedPrompt | undefined): DraftOutput {
  const asked = valid.input.output?.format.case;
  if (valid.outputSchema)
    return { kind: "json", schema: valid.outputSchema, exampleText: "", checks: valid.outputChecks ?? NO_CHECKS };
  if (asked === "text") return { kind: "text", checks: valid.outputChecks ?? NO_CHECKS };
  const checks = prompt?.outputChecks ?? NO_CHECKS;
  if (prompt?.outputSchemaText === undefined) return { kind: "text", checks };
  // The schema of a loaded prompt compiled when it was loaded, so this is a look-up.
  return {
    kind: "json",
    schema: schemas.compile(prompt.outputSchemaText),
    exampleText: prompt.outputExampleText ?? "",
    checks,
  };
}

/** Validation has refused every role but these. */
const roleWords: Readonly<Record<number, ChatMessage["role"]>> = {
  [Role.SYSTEM]: "system",
  [Role.USER]: "user",
  [Role.ASSISTANT]: "assistant",
};

function conversation(input: CompletionInput): ChatMessage[] {
  return input.messages.map((message) => ({ role: roleWords[message.role] ?? "user", text: messageText(message) }));
}

function messageText(message: Message): string {
  return message.content.map((part) => part.content.value ?? "").join("");
}
