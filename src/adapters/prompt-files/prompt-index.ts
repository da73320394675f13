import { SluiceError } from "../../core/failure.ts";
import { nearestNames } from "../../core/nearest-names.ts";
import type { LoadedPrompt } from "../../core/prompt.ts";

/** The prompts of one moment, ordered for looking up. Immutable. */
export class PromptIndex {
  readonly all: readonly LoadedPrompt[];
  /** Versions of each name, highest first. */
  readonly #versions = new Map<string, LoadedPrompt[]>();

  constructor(prompts: Iterable<LoadedPrompt>) {
    this.all = [...prompts].sort(
      (a, b) =>
        (a.name === b.name ? 0 : a.name < b.name ? -1 : 1) || versionNumber(b.version) - versionNumber(a.version),
    );
    for (const prompt of this.all) {
      const versions = this.#versions.get(prompt.name);
      if (versions) versions.push(prompt);
      else this.#versions.set(prompt.name, [prompt]);
    }
  }

  /** @throws SluiceError UNKNOWN_PROMPT with the nearest names, or versions where the name is known. */
  get(name: string, version: string): LoadedPrompt {
    const versions = this.#versions.get(name);
    if (!versions) throw unknownPrompt(name, undefined, nearestNames(name, this.#versions.keys()));
    const isLatest = version === "" || version === "latest";
    const prompt = isLatest ? versions[0] : versions.find((candidate) => candidate.version === version);
    if (prompt) return prompt;
    const known = versions.map((candidate) => candidate.version);
    throw unknownPrompt(name, version, nearestNames(version, known));
  }
}

function unknownPrompt(name: string, version: string | undefined, nearest: readonly string[]): SluiceError {
  return new SluiceError({ reason: "UNKNOWN_PROMPT", name, ...(version !== undefined && { version }), nearest });
}

/** 12 of "v12". */
export function versionNumber(version: string): number {
  return Number(version.slice(1));
}
