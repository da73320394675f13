import type { GenerationOptions } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { RetrievalInput } from "../../gen/sluice/v1/retrieval_pb.ts";
import type { ChatMessage } from "./model.ts";
import type { Checks } from "./semantic-check.ts";

/** A piece of context that a prompt shows the model. */
export interface PromptChunk {
  readonly id: string;
  readonly text: string;
}

/** Variables in two spellings of one value, of the same shape. */
export interface PromptVariables {
  /** For validation: numbers are numbers. */
  readonly value: unknown;
  /** For rendering: a number whose digits a double would change (`1.10`, 20 digits) is the text that the caller wrote. */
  readonly spelled: unknown;
}

/** What a prompt looks up by itself. */
export interface PromptRetrieval {
  /** Its query is empty: that is the text of the variable. */
  readonly input: RetrievalInput;
  /** The variable that is looked for. */
  readonly queryVariable: string;
}

/** One version of a prompt file, loaded, checked and compiled. Immutable. */
export interface LoadedPrompt {
  readonly name: string;
  /** Such as "v2". */
  readonly version: string;
  /** SHA-256 of the file's bytes, lower-case hex. */
  readonly contentHash: string;
  readonly description: string;
  readonly model?: string;
  readonly generation?: GenerationOptions;
  readonly retrieval?: PromptRetrieval;
  /** JSON Schema 2020-12 of the variables, as text. */
  readonly inputSchemaText: string;
  /** JSON Schema 2020-12 of the answer, as text; absent for text output. */
  readonly outputSchemaText?: string;
  /** An answer that satisfies the output schema, as JSON text. */
  readonly outputExampleText?: string;
  /** What must be true of the answer; absent where nothing is checked. */
  readonly outputChecks?: Checks;
  /** A filled-in example of the variables, as JSON text. */
  readonly exampleVariablesText?: string;
  readonly source: string;
  /** Whether a template shows `context`. Where none does, chunks are put before the instruction by the built-in context block. */
  readonly usesContext: boolean;
  /**
   * Validates the variables and fills them in. Text in variables and chunks stays text: it never becomes a role, a
   * template or another variable.
   * @throws SluiceError INVALID_REQUEST; violation fields are paths below `variables`, such as `variables.lines[0].sku`.
   */
  render(variables: PromptVariables, chunks: readonly PromptChunk[]): readonly ChatMessage[];
}

/** The prompts that are loaded now. Reads are synchronous: loading happens before and beside calls, never in them. */
export interface PromptLibrary {
  /**
   * `version` is "v2", "latest" or "" (latest).
   * @throws SluiceError UNKNOWN_PROMPT with the nearest names or versions.
   */
  get(name: string, version: string): LoadedPrompt;
  /** All versions of all prompts, by name ascending, then version descending. */
  list(): readonly LoadedPrompt[];
}

/** The prompt texts that Sluice itself needs; files too, shipped with the program. */
export interface BuiltinPrompts {
  /** Shows context chunks where the caller's messages or prompt have no place for them. Variables: none; uses context. */
  readonly contextBlock: LoadedPrompt;
  /** Asks for JSON where the model has no native mode. Variables: `schema` and `example` (may be empty), both texts. */
  readonly jsonInstructions: LoadedPrompt;
  /**
   * Shows a model its bad answer and asks for a better one. Variables: `answer` (a beginning of it), `isJson`,
   * `problems` (list of {path, rule, expected, got}) and `checks` (list of texts).
   */
  readonly correction: LoadedPrompt;
}
