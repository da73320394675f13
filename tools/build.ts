// Makes dist/, which starts with plain Node: `npm run build && node dist/src/main.js serve`. It has its own package.json
// and lock, so that an image needs nothing else: see Containerfile.
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { programOutcome, root } from "./check/command.ts";

const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
const { problems } = await programOutcome("tsc", ["--project", "tools/build"]);
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
const besideCode = globSync("src/**/*", { cwd: root, exclude: ["**/*.ts"], withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
for (const path of [...besideCode, "prompts", "migrations", "examples/handbook", "package-lock.json", "LICENSE"]) {
  cpSync(join(root, path), join(dist, path), { recursive: true });
}
writeFileSync(join(dist, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);

/**
 * Our package.json with what was compiled in place of what was written. The development dependencies stay, because the
 * lock names them and `npm ci` compares the two; an image leaves them out with `--omit=dev`.
 */
function manifest(): unknown {
  const { scripts: _, ...rest } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { ...rest, bin: { sluice: "src/main.js" }, scripts: { start: "node src/main.js serve" } };
}
