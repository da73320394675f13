// Measures: `npm run bench`, or `npm run bench -- cache-hit --json results.json` for some of it and a file of results.
// With `--quick` they run for a moment each, to show that they run.
// Figures differ from machine to machine and from hour to hour; ratios to the floor of the same run do not much.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { cacheHit } from "./cache-hit.ts";
import { structured } from "./structured.ts";
import { sectionText } from "./table.ts";

const benchmarks: Benchmark[] = [cacheHit, structured];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, quick: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are ${benchmarks.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const chosen = benchmarks.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const report: Record<string, unknown> = {};
for (const { name, measure } of chosen) {
  const sections = await measure(values.quick ? "quick" : "full");
  for (const section of sections) console.log(`${name}: ${sectionText(section)}\n`);
  report[name] = sections.map((section) =>
    section.kind === "ratios" ? { ...section, results: Object.fromEntries(section.results) } : section,
  );
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, benchmarks: report }, null, 2)}\n`);
}
