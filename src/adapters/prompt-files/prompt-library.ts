import { join } from "node:path";
import { errorCode } from "../../core/error-code.ts";
import type { Log } from "../../core/log.ts";
import type { LoadedPrompt, PromptLibrary } from "../../core/prompt.ts";
import { type LoadResult, loadPrompt, type PromptCompilers } from "./load-prompt.ts";
import { type PromptFileProblem, PromptFilesError } from "./problems.ts";
import { PromptIndex } from "./prompt-index.ts";
import { listPromptFiles, type PromptFile, readPromptFile } from "./prompt-tree.ts";
import { ServedCopies } from "./served-copies.ts";
import { ServedVersions } from "./served-versions.ts";
import { type TreeWatch, watchTree } from "./watch-tree.ts";

export interface PromptLibraryOptions extends PromptCompilers {
  /** Folder with `<name>/<version>.prompt`. */
  readonly dir: string;
  readonly log: Log;
  /** Folder that remembers over restarts what was served; without it, versions are immutable while the process lives. */
  readonly servedDir?: string;
  /** Whether changes of the folder are taken up. */
  readonly watch: boolean;
}

/**
 * Loads all prompts of a folder and, if asked, keeps following it. A file that becomes broken, or that changes after its
 * version was rendered for a caller, is refused with a `prompt_refused` log line and its last good text stays.
 * @throws PromptFilesError with all problems of all files when any of them cannot be used at the start.
 */
export async function openPromptLibrary(options: PromptLibraryOptions): Promise<PromptLibrary & { close(): void }> {
  const copies = options.servedDir === undefined ? undefined : await ServedCopies.open(options.servedDir, options.log);
  const library = new FilePromptLibrary(options, copies);
  await library.loadFirst();
  if (options.watch) library.follow();
  return library;
}

/** What became of a file when it was last looked at. */
interface Seen {
  readonly stamp: string;
  readonly prompt?: LoadedPrompt;
}

class FilePromptLibrary implements PromptLibrary {
  readonly #options: PromptLibraryOptions;
  readonly #served: ServedVersions;
  #seen = new Map<string, Seen>();
  #seenProblems = "";
  #index = new PromptIndex([]);
  #watch: TreeWatch | undefined;
  #reloading: Promise<void> | undefined;
  #isStale = false;
  #isClosed = false;

  constructor(options: PromptLibraryOptions, copies: ServedCopies | undefined) {
    this.#options = options;
    this.#served = new ServedVersions(options, options.log, copies, (prompt) => this.#keepServed(prompt));
  }

  get(name: string, version: string): LoadedPrompt {
    return this.#index.get(name, version);
  }

  list(): readonly LoadedPrompt[] {
    return this.#index.all;
  }

  close(): void {
    this.#isClosed = true;
    this.#watch?.close();
    this.#served.close();
  }

  async loadFirst(): Promise<void> {
    const problems = await this.#load().catch((error: unknown): readonly PromptFileProblem[] => {
      if (errorCode(error) === undefined) throw error;
      const message = `the prompts folder cannot be read (${errorCode(error)})`;
      return [{ file: this.#options.dir, rule: "prompts_dir", message }];
    });
    if (problems.length > 0) throw new PromptFilesError(problems);
  }

  follow(): void {
    this.#watch = watchTree(this.#options.dir, this.#options.log, () => {
      this.#isStale = true;
      this.#reloading ??= this.#reloadWhileStale().finally(() => {
        this.#reloading = undefined;
      });
    });
  }

  async #reloadWhileStale(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      try {
        for (const problem of await this.#load()) this.#options.log.error("prompt_refused", { ...problem });
      } catch (error) {
        // The folder may be away for a moment while it is replaced. What is loaded stays.
        const { dir, log } = this.#options;
        const code = errorCode(error);
        log.error("prompts_reload_failed", code === "unknown" ? { dir, error } : { dir, code });
      }
    }
  }

  /** Looks at the whole folder, takes up what is good, and answers with the problems that are new. */
  async #load(): Promise<readonly PromptFileProblem[]> {
    const tree = await listPromptFiles(this.#options.dir);
    const problems: PromptFileProblem[] = [];
    const seen = new Map<string, Seen>();
    for (const file of tree.files) {
      const before = this.#seen.get(file.key);
      const now = before?.stamp === file.stamp ? before : await this.#look(file, before?.prompt, problems);
      if (now) seen.set(file.key, now);
    }
    if (this.#isClosed) return [];
    const treeProblems = JSON.stringify(tree.problems);
    if (treeProblems !== this.#seenProblems) problems.push(...tree.problems);
    this.#seenProblems = treeProblems;
    this.#takeUp(seen);
    return problems;
  }

  async #look(
    file: PromptFile,
    before: LoadedPrompt | undefined,
    problems: PromptFileProblem[],
  ): Promise<Seen | undefined> {
    const read = await readPromptFile(file);
    if (read.kind === "gone") return undefined;
    const { stamp } = file;
    if (read.kind === "refused") {
      problems.push(...read.problems);
      return { stamp, prompt: before };
    }
    if (before?.contentHash === read.contentHash) return { stamp, prompt: before };
    const loaded: LoadResult = loadPrompt({ ...file, file: file.path, bytes: read.bytes }, this.#options);
    if (!loaded.ok) {
      problems.push(...loaded.problems);
      return { stamp, prompt: before };
    }
    const prompt = this.#served.tracked(loaded.prompt, read.bytes);
    return { stamp, prompt: await this.#served.unlessChanged(prompt, file.path) };
  }

  /** A call may get hold of a version just before its file changes, and render it just after: then that text is the version's. */
  #keepServed(prompt: LoadedPrompt): void {
    const key = `${prompt.name}/${prompt.version}`;
    const seen = this.#seen.get(key);
    if (!seen?.prompt || seen.prompt.contentHash === prompt.contentHash) return;
    this.#served.refuse(seen.prompt, prompt, join(this.#options.dir, `${key}.prompt`));
    this.#takeUp(new Map(this.#seen).set(key, { stamp: seen.stamp, prompt }));
  }

  #takeUp(seen: Map<string, Seen>): void {
    const hashes = (entries: ReadonlyMap<string, Seen>) =>
      new Map([...entries].map(([key, { prompt }]) => [key, prompt?.contentHash]));
    const before = hashes(this.#seen);
    const after = hashes(seen);
    const changed = [...after].filter(([key, hash]) => before.get(key) !== hash).map(([key]) => key);
    const removed = [...before.keys()].filter((key) => !after.has(key));
    this.#seen = seen;
    if (changed.length + removed.length === 0) return;
    this.#index = new PromptIndex([...seen.values()].flatMap(({ prompt }) => prompt ?? []));
    // What is there at the start is no change.
    if (before.size === 0) return;
    this.#options.log.info("prompts_loaded", { loaded: changed.slice(0, 50), removed: removed.slice(0, 50) });
  }
}
