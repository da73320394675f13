import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "./check.ts";
import { root, runProgram } from "./command.ts";

/** gen/ is what `npm run gen` makes of proto/ today. */
export const generated: Check = {
  name: "gen",
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-gen-"));
    try {
      const made = await runProgram("buf", ["generate", "--output", folder]);
      if (made.code !== 0) return { problems: [made.stderr.trim()] };
      const { code, stdout } = await runProgram("git", [
        ...["diff", "--no-index", "--no-color", "--stat"],
        ...[join(root, "gen"), join(folder, "gen")],
      ]);
      return { problems: code === 0 ? [] : [`gen/ is not what proto/ says; run: npm run gen\n${stdout.trim()}`] };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
