import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PromptFileProblem, PromptRule } from "../../adapters/prompt-files/index.ts";
import type { LoadedPrompt } from "../../core/prompt.ts";
import { lineDiff } from "./line-diff.ts";
import { messagesText, renderVariables, violationText } from "./rendering.ts";
import type { Sample, SampleFolder } from "./samples.ts";

export interface GoldenReport {
  readonly problems: readonly PromptFileProblem[];
  /** Golden files that were written. */
  readonly written: readonly string[];
  /** Samples that rendered as their golden file says. */
  readonly equal: number;
}

/**
 * Renders every sample with every version that accepts it and compares with the golden files. With `update` they are
 * written instead, where they differ. `versions` are those of one prompt, highest first.
 */
export async function compareGoldens(
  folder: SampleFolder,
  versions: readonly LoadedPrompt[],
  update: boolean,
): Promise<GoldenReport> {
  const problems: PromptFileProblem[] = [...folder.problems];
  const written: string[] = [];
  let equal = 0;
  for (const sample of folder.samples) {
    for (const prompt of versions) {
      const outcome = await compareOne(folder, sample, prompt, update);
      if (outcome.kind === "equal") equal++;
      else if (outcome.kind === "written") written.push(outcome.file);
      else if (outcome.kind === "problem") problems.push(outcome.problem);
    }
  }
  return { problems: [...problems, ...unusedFiles(folder, versions)], written, equal };
}

type Outcome =
  | { readonly kind: "equal" | "not_meant" }
  | { readonly kind: "written"; readonly file: string }
  | { readonly kind: "problem"; readonly problem: PromptFileProblem };

async function compareOne(
  folder: SampleFolder,
  sample: Sample,
  prompt: LoadedPrompt,
  update: boolean,
): Promise<Outcome> {
  const goldenName = `${sample.name}.${prompt.version}.golden.txt`;
  const isExpected = folder.goldens.includes(goldenName);
  const rendering = renderVariables(prompt, sample.variablesText, sample.chunks);
  const problem = (file: string, rule: PromptRule, message: string): Outcome => ({
    kind: "problem",
    problem: { file, rule, message },
  });
  if (!rendering.ok) {
    const why = rendering.violations.map(violationText).join("; ");
    if (isExpected)
      return problem(sample.file, "sample_refused", `${prompt.name}/${prompt.version} refuses it: ${why}`);
    return { kind: "not_meant" };
  }
  const golden = join(folder.dir, goldenName);
  const expected = isExpected ? await readFile(golden, "utf8") : undefined;
  const actual = messagesText(rendering.messages);
  if (expected === actual) return { kind: "equal" };
  if (update) {
    await writeFile(golden, actual);
    return { kind: "written", file: golden };
  }
  if (expected === undefined) return problem(golden, "golden_missing", "the file does not exist; --update writes it");
  const diff = lineDiff(expected, actual).join("\n    ");
  return problem(golden, "golden_differs", `the rendered messages differ (- golden, + now):\n    ${diff}`);
}

function unusedFiles(folder: SampleFolder, versions: readonly LoadedPrompt[]): readonly PromptFileProblem[] {
  const known = folder.samples.flatMap(({ name }) => versions.map(({ version }) => `${name}.${version}.golden.txt`));
  const goldens = folder.goldens
    .filter((golden) => !known.includes(golden))
    .map(
      (golden): PromptFileProblem => ({
        file: join(folder.dir, golden),
        rule: "golden_unused",
        message: "there is no such sample or no such version; delete the file",
      }),
    );
  const samples = folder.samples
    .filter(({ variablesText, chunks }) =>
      versions.every((prompt) => !renderVariables(prompt, variablesText, chunks).ok),
    )
    .map(({ file, variablesText, chunks }): PromptFileProblem => {
      const latest = versions[0] && renderVariables(versions[0], variablesText, chunks);
      const why = latest && !latest.ok ? latest.violations.map(violationText).join("; ") : "there is no version";
      return { file, rule: "sample_refused", message: `no version accepts it: ${why}` };
    });
  return [...goldens, ...samples];
}
