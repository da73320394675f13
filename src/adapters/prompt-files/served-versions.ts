import type { Log } from "../../core/log.ts";
import type { LoadedPrompt } from "../../core/prompt.ts";
import { loadPrompt, type PromptCompilers } from "./load-prompt.ts";
import { MAX_PROMPT_FILES } from "./prompt-tree.ts";
import type { ServedCopies } from "./served-copies.ts";

/**
 * Keeps versions immutable: once a version was rendered, its text is the one that callers, caches and ledger rows know
 * by that name, and a file that says something else under the same name is refused.
 */
export class ServedVersions {
  readonly #compilers: PromptCompilers;
  readonly #log: Log;
  readonly #copies: ServedCopies | undefined;
  /** By `<name>/<version>`; also of versions whose file has gone since. */
  readonly #served = new Map<string, LoadedPrompt>();
  readonly #onServed: (prompt: LoadedPrompt) => void;

  /** `onServed` hears of each version once, when it becomes immutable. */
  constructor(
    compilers: PromptCompilers,
    log: Log,
    copies: ServedCopies | undefined,
    onServed: (prompt: LoadedPrompt) => void,
  ) {
    this.#onServed = onServed;
    this.#compilers = compilers;
    this.#log = log;
    this.#copies = copies;
  }

  /** The same prompt, which counts as served from its first successful rendering on. */
  tracked(prompt: LoadedPrompt, bytes: Uint8Array): LoadedPrompt {
    let isCounted = false;
    const tracked: LoadedPrompt = Object.freeze({
      ...prompt,
      render: (...input: Parameters<LoadedPrompt["render"]>) => {
        const messages = prompt.render(...input);
        if (!isCounted) {
          isCounted = true;
          this.#count(tracked, bytes);
        }
        return messages;
      },
    });
    return tracked;
  }

  /** The given prompt, or the one that was served under its name if that had another text. */
  async unlessChanged(prompt: LoadedPrompt, file: string): Promise<LoadedPrompt> {
    const key = keyOf(prompt);
    const served = this.#served.get(key) ?? (await this.#restore(prompt, file));
    if (!served || served.contentHash === prompt.contentHash) return prompt;
    this.refuse(prompt, served, file);
    return served;
  }

  /** Says in the log that a changed text is not taken up. */
  refuse(changed: LoadedPrompt, served: LoadedPrompt, file: string): void {
    this.#log.error("prompt_refused", {
      file,
      rule: "served_version_changed",
      message: `${keyOf(served)} was changed after it had been served, so its former text stays in use; undo the change and make a new version`,
      served_hash: served.contentHash,
      refused_hash: changed.contentHash,
    });
  }

  close(): void {
    this.#copies?.close();
  }

  #count(prompt: LoadedPrompt, bytes: Uint8Array): void {
    const key = keyOf(prompt);
    if (this.#served.has(key)) return;
    if (this.#served.size >= 2 * MAX_PROMPT_FILES) this.#forgetOldest();
    this.#served.set(key, prompt);
    this.#copies?.keep({ ...prompt, bytes });
    this.#onServed(prompt);
  }

  #forgetOldest(): void {
    for (const key of this.#served.keys()) {
      this.#served.delete(key);
      return;
    }
  }

  /** What an earlier process served under this name. */
  async #restore(prompt: LoadedPrompt, file: string): Promise<LoadedPrompt | undefined> {
    const key = keyOf(prompt);
    const hash = this.#copies?.hashOf(key);
    if (hash === undefined) return undefined;
    if (hash === prompt.contentHash) {
      this.#served.set(key, prompt);
      return prompt;
    }
    const bytes = await this.#copies?.read(key);
    if (!bytes) return undefined;
    const loaded = loadPrompt({ file, name: prompt.name, version: prompt.version, bytes }, this.#compilers);
    if (!loaded.ok) {
      this.#log.warn("prompt_served_copy_damaged", { file, problems: loaded.problems });
      return undefined;
    }
    this.#served.set(key, loaded.prompt);
    return loaded.prompt;
  }
}

function keyOf({ name, version }: LoadedPrompt): string {
  return `${name}/${version}`;
}
