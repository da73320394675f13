/** Every rule that a prompt file or what lies beside it can break. docs/prompts.md says what each means. */
export const PROMPT_RULES = [
  "ambiguous_parent",
  "block_params",
  "check",
  "decorator",
  "description",
  "empty_section",
  "encoding",
  "example",
  "file_name",
  "file_size",
  "front_matter",
  "front_matter_size",
  "generation",
  "golden_differs",
  "golden_missing",
  "golden_unused",
  "helper_arguments",
  "input_object",
  "input_schema",
  "invalid_schema",
  "last_section",
  "literal_path",
  "model",
  "no_sections",
  "not_text",
  "open_object",
  "optional_path",
  "output_example",
  "output_schema",
  "partial",
  "path_type",
  "prompts_dir",
  "raw_block",
  "reserved_name",
  "retrieval",
  "role_marker",
  "sample",
  "sample_refused",
  "schema_ref",
  "served_version_changed",
  "template_syntax",
  "text_before_role",
  "too_many_files",
  "triple_braces",
  "unknown_data",
  "unknown_helper",
  "unknown_key",
  "unknown_role",
  "unknown_variable",
  "unreadable",
  "version_changed",
  "version_removed",
  "whole_input",
  "yaml",
] as const;

export type PromptRule = (typeof PROMPT_RULES)[number];

/** One thing that is wrong with a prompt file. */
export interface PromptFileProblem {
  /** Path of the file, as the prompts folder was given. */
  readonly file: string;
  /** Counted from 1; absent where the whole file is meant. */
  readonly line?: number;
  readonly rule: PromptRule;
  readonly message: string;
}

/** All problems of all prompt files, at most 8 shown in its message. */
export class PromptFilesError extends Error {
  readonly problems: readonly PromptFileProblem[];

  constructor(problems: readonly PromptFileProblem[]) {
    const more = problems.length > 8 ? `\n… and ${problems.length - 8} more` : "";
    super(`the prompt files have problems:\n${problems.slice(0, 8).map(formatProblem).join("\n")}${more}`);
    this.name = "PromptFilesError";
    this.problems = problems;
  }
}

/** `prompts/summarize/v1.prompt:12: unknown_variable: …`, the form that editors can jump to. */
export function formatProblem({ file, line, rule, message }: PromptFileProblem): string {
  return `${file}${line === undefined ? "" : `:${line}`}: ${rule}: ${message}`;
}

/** A file with very many faults is not made clearer by listing them all. */
const MAX_PROBLEMS = 100;

/** Collects the problems of one file, so that an author sees all of them at once. */
export class ProblemReport {
  readonly problems: PromptFileProblem[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  add(rule: PromptRule, message: string, line?: number): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push({ file: this.#file, ...(line !== undefined && { line }), rule, message });
  }

  get isEmpty(): boolean {
    return this.problems.length === 0;
  }
}
