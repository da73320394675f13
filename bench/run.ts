// Measures: `npm run bench`, or `npm run bench -- unary --json results.json` for some of it and a file of results.
// With `--compare earlier.json` the ratios are set against those of an earlier run.
// With `--quick` they run for a moment each, to show that they run.
// Figures differ from machine to machine and from hour to hour; ratios to the floor of the same run do not much.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { browserStreams } from "./browser-streams.ts";
import { cacheHit } from "./cache-hit.ts";
import { comparison, readReport } from "./compare.ts";
import { embedding } from "./embed.ts";
import { openStreams } from "./open-streams.ts";
import { watchOthers } from "./processes.ts";
import { redisStall } from "./redis-stall.ts";
import { replay } from "./replay.ts";
import { conditions, createReport, type Measured } from "./report.ts";
import { retrieval } from "./retrieval.ts";
import { stream } from "./stream.ts";
import { structured } from "./structured.ts";
import { sectionText } from "./table.ts";
import { unary } from "./unary.ts";
import { usage } from "./usage.ts";
import { week } from "./week.ts";

const benchmarks: Benchmark[] = [
  unary,
  stream,
  openStreams,
  browserStreams,
  cacheHit,
  structured,
  replay,
  redisStall,
  embedding,
  retrieval,
  usage,
  week,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, compare: { type: "string" }, quick: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are ${benchmarks.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
// Read first: a wrong path must not be found after all the work.
const earlier = values.compare === undefined ? undefined : readReport(values.compare);

// Servers and loads that were started end with this process, also when it is told to end.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const effort = values.quick ? "quick" : "full";
const measured: Measured[] = [];
for (const { name, measure } of benchmarks) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const otherWork = watchOthers();
  const sections = await measure(effort);
  measured.push({ name, sections, otherWork: otherWork() });
  for (const section of sections) console.log(`${name}: ${sectionText(section)}\n`);
  console.log(`${name}: other work took ${(otherWork() * 100).toFixed(0)} % of the machine meanwhile\n`);
}

const report = createReport(effort, measured);
console.log(conditions(report));
if (earlier) console.log(`\nagainst ${conditions(earlier)}\n${comparison(report, earlier)}`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
