import { createHash } from "node:crypto";
import { invalidRequest, SluiceError } from "../../core/failure.ts";
import type { JsonSchema, JsonSchemas } from "../../core/json-schema.ts";
import type { ChatMessage } from "../../core/model.ts";
import type { LoadedPrompt, PromptChunk, PromptVariables } from "../../core/prompt.ts";
import type { CheckCompiler } from "../../core/semantic-check.ts";
import { compileTemplate, type Template } from "./compile-template.ts";
import { type FrontMatter, readFrontMatter } from "./front-matter.ts";
import { checkInputSchema, compileSchema } from "./input-schema.ts";
import { compileChecks } from "./output-checks.ts";
import { ProblemReport, type PromptFileProblem } from "./problems.ts";
import { CONTEXT_NAME } from "./reserved-names.ts";
import { checkQueryVariable } from "./retrieval.ts";
import { type SectionRule, splitSections } from "./role-sections.ts";
import { isSchemaNode } from "./schema-nodes.ts";
import { Shape } from "./shape.ts";
import { decodeSource, splitSource } from "./source-text.ts";
import { checkTemplate } from "./template-check.ts";
import { RenderBudget, RenderedTooLargeError } from "./template-helpers.ts";
import { checkVariables, fillVariables } from "./variables.ts";

/** A prompt file as it was read. */
export interface PromptSource {
  /** Path that problems name. */
  readonly file: string;
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** What compiles the parts of a prompt file that are not its own. */
export interface PromptCompilers {
  readonly schemas: JsonSchemas;
  readonly checks: CheckCompiler;
}

export type LoadResult =
  | { readonly ok: true; readonly prompt: LoadedPrompt }
  | { readonly ok: false; readonly problems: readonly PromptFileProblem[] };

/** Lower-case hex SHA-256 of a file's bytes. */
export function contentHashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Reads, checks and compiles one prompt file. All its problems are reported together, as far as they can be told apart. */
export function loadPrompt(
  source: PromptSource,
  compilers: PromptCompilers,
  rule: SectionRule = "ends_with_user",
): LoadResult {
  const report = new ProblemReport(source.file);
  const prompt = readPrompt(source, compilers, rule, report);
  return prompt && report.isEmpty ? { ok: true, prompt } : { ok: false, problems: report.problems };
}

function readPrompt(
  source: PromptSource,
  compilers: PromptCompilers,
  rule: SectionRule,
  report: ProblemReport,
): LoadedPrompt | undefined {
  const text = decodeSource(source.bytes, report);
  const parts = text === undefined ? undefined : splitSource(text, report);
  if (text === undefined || !parts) return undefined;
  const front = readFrontMatter(parts.frontMatter, parts.frontMatterLine, report);
  const sections = splitSections(parts.bodyLines, parts.bodyLine, rule, report);
  if (!front) return undefined;
  const { schemas } = compilers;
  const output =
    front.output?.schema && compileSchema(front.output.schema, ["output", "schema"], front.yaml, schemas, report);
  if (output) checkOutputExample(front, output, report);
  const input = compileSchema(front.inputSchema, ["input", "schema"], front.yaml, schemas, report);
  const outputChecks = compileChecks(front, { output, input }, compilers.checks, report);
  if (!input || !isSchemaNode(front.inputSchema)) return undefined;
  if (!checkInputSchema(front.inputSchema, front.yaml, report)) return undefined;
  if (front.retrieval) checkQueryVariable(front.retrieval, front.inputSchema, front.yaml, report);
  const shape = Shape.of(front.inputSchema);
  const usesContext = sections.map((section) => checkTemplate(section, shape, report).usesContext).includes(true);
  if (!report.isEmpty) return undefined;
  const compiled = sections.map(({ role, template }) => ({ role, fillIn: compileTemplate(template) }));
  const prompt: LoadedPrompt = Object.freeze({
    name: source.name,
    version: source.version,
    contentHash: contentHashOf(source.bytes),
    description: front.description,
    ...(front.model !== undefined && { model: front.model }),
    ...(front.generation && { generation: front.generation }),
    ...(front.retrieval && { retrieval: front.retrieval }),
    inputSchemaText: input.text,
    ...(output && { outputSchemaText: output.text }),
    ...(front.output && "example" in front.output && { outputExampleText: JSON.stringify(front.output.example) }),
    ...(outputChecks && { outputChecks }),
    ...(front.example && { exampleVariablesText: JSON.stringify(front.example) }),
    source: text,
    usesContext,
    render(variables: PromptVariables, chunks: readonly PromptChunk[]) {
      checkVariables(input, variables.value);
      const data = fillVariables(shape, variables);
      data[CONTEXT_NAME] = chunks.map(chunkData);
      return renderSections(compiled, data);
    },
  });
  checkExample(front, prompt, report);
  return prompt;
}

interface CompiledSection {
  readonly role: ChatMessage["role"];
  readonly fillIn: Template;
}

function renderSections(sections: readonly CompiledSection[], data: Readonly<Record<string, unknown>>): ChatMessage[] {
  const budget = new RenderBudget();
  try {
    const messages = sections.map(({ role, fillIn }) => ({ role, text: budget.spend(fillIn(data, budget)) }));
    if (messages.at(-1)?.text.trim() === "") {
      throw invalidRequest("variables", "prompt.not_empty", "the prompt's last section is empty with these variables");
    }
    // Providers refuse empty messages; a section that consists of an absent optional variable is left out.
    return messages.filter(({ text }) => text.trim() !== "");
  } catch (error) {
    if (error instanceof RenderedTooLargeError) throw invalidRequest("variables", "prompt.max_size", error.message);
    throw error;
  }
}

/** Only these two fields are shown to templates, whatever else the caller's chunks carry. */
function chunkData({ id, text }: PromptChunk): PromptChunk {
  return { id, text };
}

function checkOutputExample(front: FrontMatter, schema: JsonSchema, report: ProblemReport): void {
  if (!front.output || !("example" in front.output)) return;
  for (const { path, expected } of schema.validate(front.output.example)) {
    const message = `the output example does not satisfy the output schema at ${path || "the top"}: ${expected}`;
    report.add("output_example", message, front.yaml.lineOf(["output", "example", ...path.split("/").slice(1)]));
  }
}

const EXAMPLE_CHUNKS: readonly PromptChunk[] = [{ id: "example", text: "An example." }];

function checkExample(front: FrontMatter, prompt: LoadedPrompt, report: ProblemReport): void {
  if (!front.example) return;
  try {
    prompt.render({ value: front.example, spelled: front.example }, EXAMPLE_CHUNKS);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.failure.reason !== "INVALID_REQUEST") throw error;
    for (const { field, description } of error.failure.violations) {
      const line = front.yaml.lineOf(["example"]);
      report.add("example", `the example does not fit: ${field}: ${description}`, line);
    }
  }
}
