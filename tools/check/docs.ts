import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { anchors, links } from "../markdown/links.ts";
import type { Check } from "./check.ts";
import { root } from "./command.ts";

/** Every link of the documentation into the project leads somewhere. Links to other sites are not followed. */
export const docs: Check = {
  name: "docs",
  run: async () => {
    const files = globSync(["*.md", "docs/**/*.md", "examples/**/*.md", "test/**/*.md"], {
      cwd: root,
      exclude: ["**/node_modules/**"],
    }).sort();
    return { problems: files.flatMap((path) => linkProblems(path)), note: `${files.length} files` };
  },
};

function linkProblems(path: string): string[] {
  return links(readFileSync(join(root, path), "utf8")).flatMap(({ target, line }) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
    const [file = "", anchor] = target.split("#");
    const linked = file === "" ? path : join(dirname(path), decodeURIComponent(file));
    if (!existsSync(join(root, linked))) return [`${path}:${line}: ${target} does not exist`];
    if (anchor === undefined || !linked.endsWith(".md")) return [];
    const known = anchors(readFileSync(join(root, linked), "utf8"));
    return known.has(anchor) ? [] : [`${path}:${line}: ${linked} has no heading #${anchor}`];
  });
}
