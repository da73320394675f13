import {
  listPromptFiles,
  loadPrompt,
  type PromptCompilers,
  type PromptFileProblem,
  type PromptTree,
  readPromptFile,
} from "../../adapters/prompt-files/index.ts";
import { errorCode } from "../../core/error-code.ts";
import type { LoadedPrompt } from "../../core/prompt.ts";

/** A folder of prompts as it is, the broken ones included. */
export interface LoadedTree {
  readonly prompts: readonly LoadedPrompt[];
  readonly problems: readonly PromptFileProblem[];
}

/** Loads what can be loaded; a folder that cannot be read is one problem. Nothing counts as served. */
export async function loadTree(dir: string, compilers: PromptCompilers): Promise<LoadedTree> {
  const tree = await listPromptFiles(dir).catch((error: unknown): PromptTree => {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return { files: [], problems: [{ file: dir, rule: "prompts_dir", message: `cannot be read (${code})` }] };
  });
  const prompts: LoadedPrompt[] = [];
  const problems = [...tree.problems];
  for (const file of tree.files) {
    const read = await readPromptFile(file);
    if (read.kind === "gone") continue;
    if (read.kind === "refused") {
      problems.push(...read.problems);
      continue;
    }
    const loaded = loadPrompt(
      { file: file.path, name: file.name, version: file.version, bytes: read.bytes },
      compilers,
    );
    if (loaded.ok) prompts.push(loaded.prompt);
    else problems.push(...loaded.problems);
  }
  return { prompts, problems };
}
