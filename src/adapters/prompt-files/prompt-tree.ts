import type { BigIntStats, Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../../core/error-code.ts";
import { contentHashOf } from "./load-prompt.ts";
import { ProblemReport, type PromptFileProblem } from "./problems.ts";
import { MAX_FILE_BYTES } from "./source-text.ts";

/** The most prompt files that one folder may hold. */
export const MAX_PROMPT_FILES = 2_000;

/** As `PromptInput.name` and `version` in the contract. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const VERSION_FILE = /^(v[1-9][0-9]{0,5})\.prompt$/;

/** A prompt file that exists, not yet read. */
export interface PromptFile {
  /** `<name>/<version>`. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** Changes whenever the file does. */
  readonly stamp: string;
}

export interface PromptTree {
  /** By name, then version as text. */
  readonly files: readonly PromptFile[];
  /** Files that look like prompts and are not where prompts belong. */
  readonly problems: readonly PromptFileProblem[];
}

/**
 * Lists `<dir>/<name>/<version>.prompt`. Hidden entries and files that do not end in `.prompt` are left alone.
 * @throws the error of the file system when the folder itself cannot be read.
 */
export async function listPromptFiles(dir: string): Promise<PromptTree> {
  const files: PromptFile[] = [];
  const problems: PromptFileProblem[] = [];
  for (const entry of await sortedEntries(dir)) {
    const path = join(dir, entry.name);
    if (entry.name.endsWith(".prompt")) {
      problems.push({ file: path, rule: "file_name", message: "a prompt belongs into <name>/<version>.prompt" });
    }
    // A mounted volume may hold links to folders.
    const info = entry.isDirectory() || entry.isSymbolicLink() ? await statIfThere(path) : undefined;
    if (!info?.isDirectory()) continue;
    const folder = await listFolder(path, entry.name);
    files.push(...folder.files);
    problems.push(...folder.problems);
  }
  if (files.length > MAX_PROMPT_FILES) {
    const message = `there are ${files.length} prompt files; at most ${MAX_PROMPT_FILES} are allowed`;
    problems.push({ file: dir, rule: "too_many_files", message });
  }
  return { files: files.slice(0, MAX_PROMPT_FILES), problems };
}

async function listFolder(dir: string, name: string): Promise<PromptTree> {
  const files: PromptFile[] = [];
  const problems: PromptFileProblem[] = [];
  for (const entry of await sortedEntries(dir)) {
    const path = join(dir, entry.name);
    if (!entry.name.endsWith(".prompt")) continue;
    const version = VERSION_FILE.exec(entry.name)?.[1];
    if (version === undefined) {
      problems.push({ file: path, rule: "file_name", message: "a version is called v1.prompt, v2.prompt and so on" });
    } else if (!NAME.test(name)) {
      const message = "a prompt's folder has lower-case letters, digits and hyphens, at most 64, in its name";
      problems.push({ file: path, rule: "file_name", message });
    } else {
      const info = await statIfThere(path);
      if (info?.isFile()) files.push({ key: `${name}/${version}`, name, version, path, stamp: stampOf(info) });
    }
  }
  return { files, problems };
}

export type ReadResult =
  | { readonly kind: "read"; readonly bytes: Uint8Array; readonly contentHash: string }
  | { readonly kind: "gone" }
  | { readonly kind: "refused"; readonly problems: readonly PromptFileProblem[] };

/** Reads a listed file. It may have gone since; a file far too large is not read at all. */
export async function readPromptFile(file: PromptFile): Promise<ReadResult> {
  const report = new ProblemReport(file.path);
  const info = await statIfThere(file.path);
  if (!info) return { kind: "gone" };
  if (info.size > BigInt(MAX_FILE_BYTES)) {
    report.add("file_size", `the file has ${info.size} bytes; at most ${MAX_FILE_BYTES} are allowed`);
    return { kind: "refused", problems: report.problems };
  }
  try {
    const bytes = await readFile(file.path);
    return { kind: "read", bytes, contentHash: contentHashOf(bytes) };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return { kind: "gone" };
    report.add("unreadable", `the file cannot be read (${errorCode(error) ?? "unknown"})`);
    return { kind: "refused", problems: report.problems };
  }
}

async function sortedEntries(dir: string): Promise<readonly Dirent[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Time alone is not enough: an editor can write twice within one tick of a coarse clock. */
function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}
