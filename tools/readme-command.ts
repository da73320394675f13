// Prints the commands that the README gives under a heading: `node tools/readme-command.ts Tests`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fences } from "./markdown/fences.ts";

const [heading] = process.argv.slice(2);
const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const block = fences(readme).find(({ language, headings }) => language === "sh" && headings.at(-1) === heading);
if (!block) throw new Error(`README.md has no sh block under the heading "${heading}"`);
process.stdout.write(block.text);
