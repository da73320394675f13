// Checks everything that is not a test: `npm run check`, or `node tools/check.ts <name>…` for some of it.
import { breaking } from "./check/breaking.ts";
import type { Check, Outcome } from "./check/check.ts";
import { programOutcome, runProgram } from "./check/command.ts";
import { docs } from "./check/docs.ts";
import { generated } from "./check/generated.ts";
import { imports } from "./check/imports.ts";
import { length } from "./check/length.ts";

const checks: Check[] = [
  command("style", "biome", ["check", "--error-on-warnings", "--max-diagnostics=none"]),
  command("types", "tsc", ["--noEmit"]),
  command("types-browser", "tsc", ["--noEmit", "--project", "examples/browser"]),
  imports,
  length,
  command("proto-lint", "buf", ["lint"]),
  command("proto-format", "buf", ["format", "--diff", "--exit-code", "proto"]),
  breaking,
  generated,
  // The lock is complete for every platform, and is what package.json says.
  command("lock", "npm", ["ci", "--dry-run", "--ignore-scripts"]),
  docs,
];

process.exitCode = await main(process.argv.slice(2));

async function main(names: string[]): Promise<number> {
  const unknown = names.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    console.error(`no check ${unknown.join(", ")}; there are ${checks.map((check) => check.name).join(", ")}`);
    return 2;
  }
  // The contract imports protos that are not checked in.
  const emitted = await runProgram(process.execPath, ["tools/emit-protos.ts"]);
  if (emitted.code !== 0) throw new Error(emitted.stderr);
  let failed = 0;
  for (const check of checks.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const { problems, note } = await outcomeOf(check);
    for (const problem of problems) console.log(problem);
    console.log(`${problems.length > 0 ? "FAILED" : "ok    "} ${check.name}${note === undefined ? "" : `: ${note}`}`);
    if (problems.length > 0) failed += 1;
  }
  return failed > 0 ? 1 : 0;
}

function command(name: string, program: string, args: string[]): Check {
  return { name, run: () => programOutcome(program, args) };
}

/** A check that cannot look has failed, and the others still run. */
async function outcomeOf(check: Check): Promise<Outcome> {
  try {
    return await check.run();
  } catch (error) {
    return { problems: [error instanceof Error ? error.message : String(error)] };
  }
}
