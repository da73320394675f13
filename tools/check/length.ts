import { globSync, readFileSync } from "node:fs";
import type { Check } from "./check.ts";
import { programOutcome, root } from "./command.ts";

/** Most lines of a file, by top folder. A test file is a list, and reads well for longer. */
const maxFileLines: Record<string, number> = { src: 300, tools: 300, bench: 300, test: 400 };

/** Files stay short enough to read, and functions of src and tools too: Biome counts their lines, at most 60. */
export const length: Check = {
  name: "length",
  run: async () => {
    const functions = await programOutcome("biome", [
      ...["lint", "--config-path=tools/check/length.biome.json"],
      ...["--diagnostic-level=error", "--max-diagnostics=none", "src", "tools"],
    ]);
    const files = Object.entries(maxFileLines).flatMap(([folder, max]) => tooLong(folder, max));
    return { problems: [...files, ...functions.problems] };
  },
};

function tooLong(folder: string, max: number): string[] {
  const paths = globSync(`${folder}/**/*.ts`, { cwd: root }).sort();
  return paths.flatMap((path) => {
    const lines = readFileSync(`${root}/${path}`, "utf8").split("\n").length - 1;
    return lines > max ? [`${path}: ${lines} lines, more than ${max}`] : [];
  });
}
