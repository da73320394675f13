import { globSync, statSync } from "node:fs";

/**
 * The test files that the arguments name, sorted, each once: a folder stands for all `*.test.ts` under it, anything else
 * is a file or a glob pattern. Throws when an argument names none.
 */
export function testFiles(args: string[]): string[] {
  const files = args.flatMap((arg) => {
    const matches = globSync(isFolder(arg) ? `${arg}/**/*.test.ts` : arg);
    if (matches.length === 0) throw new Error(`${arg} names no test file`);
    return matches;
  });
  return [...new Set(files)].sort();
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
