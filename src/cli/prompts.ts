import { join, sep } from "node:path";
import {
  formatProblem,
  type PromptCompilers,
  type PromptFileProblem,
  PromptIndex,
} from "../adapters/prompt-files/index.ts";
import { SluiceError } from "../core/failure.ts";
import type { LoadedPrompt, PromptChunk } from "../core/prompt.ts";
import { breakingChanges } from "./prompts/compatibility.ts";
import { compareGoldens } from "./prompts/goldens.ts";
import { messagesText, renderVariables, violationText } from "./prompts/rendering.ts";
import { readSamples } from "./prompts/samples.ts";
import { type LoadedTree, loadTree } from "./prompts/tree.ts";

/** Where a command writes; `process.stdout` fits. */
export interface TextOutput {
  write(text: string): unknown;
}

export interface CheckPromptsOptions extends PromptCompilers {
  readonly dir: string;
  /** A folder with an earlier state of the prompts, such as that of the last release. */
  readonly against?: string;
  /** Whether golden files are written instead of compared. */
  readonly update: boolean;
  readonly out: TextOutput;
}

/**
 * `sluice prompts check`: loads every prompt, renders the samples and compares them with their golden files, and says
 * which changes break callers. Breaking from one version to the next is reported and allowed, since callers can pin the
 * former; with `against`, changing or removing a version that existed there is a problem.
 * @returns the exit code: 0, or 1 where there is a problem.
 */
export async function checkPrompts(options: CheckPromptsOptions): Promise<number> {
  const { dir, against, update, out } = options;
  const tree = await loadTree(dir, options);
  const problems: PromptFileProblem[] = [...tree.problems];
  const notes: string[] = [];
  let samples = 0;
  const index = new PromptIndex(tree.prompts);
  for (const versions of byName(index.all)) {
    const [latest] = versions;
    if (!latest) continue;
    const goldens = await compareGoldens(await readSamples(dir, latest.name), versions, update);
    problems.push(...goldens.problems);
    notes.push(...goldens.written.map((file) => `${file}: written`));
    samples += goldens.equal;
    versions.forEach((later, at) => {
      const earlier = versions[at + 1];
      if (earlier) notes.push(...breakNotes(dir, earlier, later));
    });
  }
  if (against !== undefined) problems.push(...changedSince(dir, await loadTree(against, options), against, tree));
  for (const note of notes) out.write(`${note}\n`);
  for (const problem of problems) out.write(`${formatProblem(problem)}\n`);
  const counted = `${plural(tree.prompts.length, "prompt version")}, ${plural(samples, "sample")} as expected`;
  out.write(problems.length === 0 ? `ok: ${counted}\n` : `${plural(problems.length, "problem")}; ${counted}\n`);
  return problems.length === 0 ? 0 : 1;
}

function byName(prompts: readonly LoadedPrompt[]): readonly (readonly LoadedPrompt[])[] {
  return [...Map.groupBy(prompts, ({ name }) => name).values()];
}

function breakNotes(dir: string, earlier: LoadedPrompt, later: LoadedPrompt): readonly string[] {
  return breakingChanges(earlier, later).map(
    (change) => `${fileOf(dir, later)}: breaks callers of ${earlier.version}: ${change}`,
  );
}

/** What happened to versions that others may already use. */
function changedSince(dir: string, former: LoadedTree, against: string, now: LoadedTree): readonly PromptFileProblem[] {
  const problems: PromptFileProblem[] = former.problems.filter(({ rule }) => rule === "prompts_dir");
  for (const before of former.prompts) {
    const file = fileOf(dir, before);
    const after = now.prompts.find(({ name, version }) => name === before.name && version === before.version);
    if (!after) {
      const isBroken = now.problems.some((problem) => problem.file === file);
      if (!isBroken) problems.push({ file, rule: "version_removed", message: `the version existed in ${against}` });
    } else if (after.contentHash !== before.contentHash) {
      const breaks = breakingChanges(before, after).map((change) => `\n    breaks callers: ${change}`);
      const message = `the version has another text in ${against}; undo the change and make a new version${breaks.join("")}`;
      problems.push({ file, rule: "version_changed", message });
    }
  }
  return problems;
}

export interface RenderPromptOptions extends PromptCompilers {
  readonly dir: string;
  readonly name: string;
  /** "v2", "latest" or "" (latest). */
  readonly version: string;
  /** A JSON object; empty for no variables. */
  readonly variablesText: string;
  readonly chunks: readonly PromptChunk[];
  readonly format: "text" | "json";
  readonly out: TextOutput;
}

/**
 * `sluice prompts render`: fills one prompt in and prints its messages. Other prompts may be broken.
 * @returns the exit code: 0, or 1 where the prompt is unknown or broken or the variables do not fit.
 */
export async function renderPrompt(options: RenderPromptOptions): Promise<number> {
  const { dir, name, version, out } = options;
  const tree = await loadTree(dir, options);
  const wanted = version === "" || version === "latest" ? join(dir, name, sep) : join(dir, name, `${version}.prompt`);
  const broken = tree.problems.filter(({ file }) => file === dir || file.startsWith(wanted));
  for (const problem of broken) out.write(`${formatProblem(problem)}\n`);
  if (broken.length > 0) return 1;
  const prompt = find(new PromptIndex(tree.prompts), name, version);
  if (typeof prompt === "string") {
    out.write(`${prompt}\n`);
    return 1;
  }
  const rendering = renderVariables(prompt, options.variablesText, options.chunks);
  if (!rendering.ok) {
    for (const violation of rendering.violations) out.write(`${violationText(violation)}\n`);
    return 1;
  }
  const { messages } = rendering;
  const json = { name, version: prompt.version, content_hash: prompt.contentHash, messages };
  out.write(options.format === "json" ? `${JSON.stringify(json, undefined, 2)}\n` : messagesText(messages));
  return 0;
}

/** The prompt, or a sentence that says that there is none. */
function find(index: PromptIndex, name: string, version: string): LoadedPrompt | string {
  try {
    return index.get(name, version);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.failure.reason !== "UNKNOWN_PROMPT") throw error;
    const { nearest } = error.failure;
    const what = error.failure.version === undefined ? `prompt ${name}` : `version ${version} of ${name}`;
    return `there is no ${what}${nearest.length > 0 ? `; there is ${nearest.join(", ")}` : ""}`;
  }
}

function fileOf(dir: string, { name, version }: LoadedPrompt): string {
  return join(dir, name, `${version}.prompt`);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
