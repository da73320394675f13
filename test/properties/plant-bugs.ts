// Shows that the properties bite: plants each bug in a copy and says which property catches it. Takes about a minute.
// node test/properties/plant-bugs.ts [runs] [part of a bug's name]
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PlantedBug, plantedBugs } from "./planted-bugs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PATIENCE_MS = 120_000;

interface Verdict {
  readonly invariant: string;
  readonly count: number;
  readonly firstSeed: number;
}

function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bugs-"));
  for (const name of ["src", "gen", "test", "prompts", "package.json"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Throws where a text is not in its file exactly once: the product has changed, and the list must follow. */
function checkPlaces(folder: string): void {
  const lost = plantedBugs.flatMap(({ file, from, what }) => {
    const places = readFileSync(join(folder, file), "utf8").split(from).length - 1;
    return places === 1 ? [] : [`"${what}": its text is ${places} times in ${file}`];
  });
  if (lost.length > 0) throw new Error(`some bugs cannot be planted:\n${lost.join("\n")}`);
}

/** Changes the file and returns what changes it back. */
function plant(folder: string, { file, from, to }: PlantedBug): () => void {
  const path = join(folder, file);
  const source = readFileSync(path, "utf8");
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  return () => writeFileSync(path, source);
}

function run(folder: string, args: readonly string[]) {
  const env = { ...process.env, SLUICE_PROPERTY_RUNS: "1000" };
  return spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8", timeout: PATIENCE_MS });
}

function surveyOf(folder: string, runs: number): readonly Verdict[] {
  const { stdout, stderr } = run(folder, ["test/properties/survey.ts", String(runs)]);
  try {
    return JSON.parse(stdout);
  } catch {
    const [line = "it did not end"] = stderr.split("\n").filter((text) => /Error/.test(text));
    return [{ invariant: `the process: ${line.slice(0, 100)}`, count: 1, firstSeed: 0 }];
  }
}

/** The tests beside the fault mixes, where these find nothing. */
function testsOf(folder: string): string | undefined {
  const mocha = ["node_modules/mocha/bin/mocha.js", "--no-config", "--extension", "ts", "--timeout", "60000"];
  for (const file of ["failing-ports", "chunking"]) {
    if (run(folder, [...mocha, `test/properties/${file}.test.ts`]).status !== 0) return `${file}.test.ts`;
  }
  return undefined;
}

function catcher(folder: string, runs: number, known: readonly Verdict[]): string | undefined {
  const found = surveyOf(folder, runs).filter(({ invariant, count }) => {
    const before = known.find((verdict) => verdict.invariant === invariant)?.count ?? 0;
    return count > before * 2;
  });
  const named = found.map(({ invariant, count, firstSeed }) => `${invariant} (${count}, first seed ${firstSeed})`);
  return named.length > 0 ? named.slice(0, 3).join(", ") : testsOf(folder);
}

const runs = Number(process.argv[2] ?? 600);
const wanted = plantedBugs.filter(({ what }) => what.includes(process.argv[3] ?? ""));
const folder = copyProject();
let missed = 0;
try {
  checkPlaces(folder);
  const known = surveyOf(folder, runs);
  const failing = testsOf(folder);
  if (failing) throw new Error(`${failing} fails without any bug: nothing can be learned from it`);
  for (const { invariant, count } of known) console.log(`without any bug: ${invariant} (${count} of ${runs} runs)`);
  for (const bug of wanted) {
    const restore = plant(folder, bug);
    const caught = catcher(folder, runs, known);
    restore();
    if (caught === undefined) missed += 1;
    console.log(`${caught === undefined ? "NOT CAUGHT" : "caught"}: ${bug.what}: ${caught ?? "by nothing"}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${wanted.length - missed} of ${wanted.length} bugs caught with ${runs} runs each`);
process.exitCode = missed === 0 ? 0 : 1;
