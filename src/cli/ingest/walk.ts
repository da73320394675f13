import { type Dirent, lstatSync } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { join, matchesGlob } from "node:path";
import { errorCode } from "../../core/error-code.ts";
import { UserError } from "../terminal.ts";
import { type ContentKind, idOf, isPassedBy, kindOf } from "./document-id.ts";

/** A file to ingest. */
export interface FoundFile {
  /** Below the folder, with /. */
  readonly path: string;
  readonly id: string;
  readonly kind: ContentKind;
  readonly bytes: number;
}

/** Why files were passed by, and how many. */
export type Skipped = Map<"hidden" | "of unknown kind" | "excluded" | "links" | "binary", number>;

/** What a folder holds. */
export interface Walked {
  /** Folder without links in its path. */
  readonly root: string;
  /** By path, folders in their place. */
  readonly files: readonly FoundFile[];
  readonly skipped: Skipped;
  /** What could not be looked at, by path. */
  readonly failed: readonly { readonly path: string; readonly why: string }[];
  /** Whether something may be there that was not seen. */
  readonly isPartial: boolean;
  /** Whether a path that is not there would have been taken, had it been. */
  readonly wouldTake: (path: string) => boolean;
  /** Whether something of this path is there, taken or not. */
  readonly isThere: (path: string) => boolean;
}

export interface WalkPatterns {
  /** Empty: all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * All files below a folder that can be ingested, in a stable order. Links are not followed; hidden files and folders and
 * node_modules are passed by.
 * @throws UserError where the folder is none, or cannot be read.
 */
export async function walkFolder(folder: string, patterns: WalkPatterns): Promise<Walked> {
  const root = await rootOf(folder);
  const files: FoundFile[] = [];
  const skipped: Skipped = new Map();
  const failed: { path: string; why: string }[] = [];
  let isPartial = false;
  const skip = (why: Parameters<Skipped["get"]>[0]) => void skipped.set(why, (skipped.get(why) ?? 0) + 1);

  const visitFolder = async (below: string): Promise<void> => {
    let entries: Dirent[];
    try {
      entries = await readdir(join(root, below), { withFileTypes: true });
    } catch (error) {
      if (below === "") throw new UserError(`${folder}: cannot be read (${errorCode(error)})`);
      isPartial = true;
      failed.push({ path: `${below}/`, why: `cannot be read (${errorCode(error)})` });
      return;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      await visit(entry, below === "" ? entry.name : `${below}/${entry.name}`);
    }
  };
  const visit = async (entry: Dirent, path: string): Promise<void> => {
    if (isPassedBy(entry.name)) return skip("hidden");
    if (entry.isSymbolicLink()) return skip("links");
    if (entry.isDirectory()) return isExcluded(path, patterns) ? skip("excluded") : await visitFolder(path);
    const kind = entry.isFile() ? kindOf(path) : undefined;
    if (kind === undefined) return skip("of unknown kind");
    if (!isTaken(path, patterns)) return skip("excluded");
    const id = idOf(path);
    if (id === undefined) {
      failed.push({ path, why: "its path is longer than the 200 bytes that an id may have" });
      return;
    }
    try {
      files.push({ path, id, kind, bytes: (await lstat(join(root, path))).size });
    } catch (error) {
      failed.push({ path, why: `cannot be read (${errorCode(error)})` });
    }
  };
  await visitFolder("");
  const wouldTake = (path: string) => isTaken(path, patterns);
  const isThere = (path: string) => lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
  return { root, files, skipped, failed, isPartial, wouldTake, isThere };
}

async function rootOf(folder: string): Promise<string> {
  try {
    const root = await realpath(folder);
    if ((await lstat(root)).isDirectory()) return root;
  } catch (error) {
    const code = errorCode(error);
    throw new UserError(`${folder}: ${code === "ENOENT" ? "there is no such folder" : `cannot be read (${code})`}`);
  }
  throw new UserError(`${folder}: is no folder`);
}

function isTaken(path: string, { include, exclude }: WalkPatterns): boolean {
  const folders = path.split("/").map((_, index, names) => names.slice(0, index + 1).join("/"));
  if (folders.some((folder) => isExcluded(folder, { exclude }))) return false;
  return include.length === 0 || include.some((pattern) => matches(path, pattern));
}

function isExcluded(path: string, { exclude }: Pick<WalkPatterns, "exclude">): boolean {
  return exclude.some((pattern) => matches(path, pattern));
}

/** A pattern without / is one for names, as in .gitignore; one that ends in / means the folder. */
function matches(path: string, pattern: string): boolean {
  const wanted = pattern.replace(/^\.\//, "").replace(/\/$/, "");
  return matchesGlob(path, wanted.includes("/") ? wanted : `**/${wanted}`);
}
