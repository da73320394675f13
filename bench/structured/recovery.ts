import { createJsonSchemas } from "../../src/adapters/json-schema/index.ts";
import { parseAnswer } from "../../src/pipeline/parse.ts";
import { type Case, type Grades, gradeCase, readCorpus } from "../../test/pipeline/parse/grade.ts";
import type { Counts } from "../benchmark.ts";
import { parseNaively, parseWhole } from "./naive.ts";

const corpus = new URL("../../test/cases/parse_cases.jsonl", import.meta.url);
const readers = { sluice: parseAnswer, "JSON.parse": parseWhole, naive: parseNaively };

/** What a reader made of the cases of one class. */
interface Tally {
  read: number;
  rejected: number;
  wrongValues: number;
  falseAccepts: number;
  crashes: number;
}

/**
 * What the parse stage makes of the corpus of model answers without asking a model again, by class of case, next to two
 * simple ways of reading, with the same schemas and the same grader.
 */
export function measureRecovery(): Counts {
  const cases = readCorpus(corpus);
  const classes = Map.groupBy(cases, ({ id }) => id.replace(/-\d+$/, ""));
  const names = Object.keys(readers);
  const rows = [...classes].map(([name, members]) => row(name, members));
  return {
    kind: "counts",
    title: `answers of the corpus read without a further call, by class (${cases.length} cases)`,
    remark:
      "to read: cases with one reading. to reject: cases with none, or several. fatal: a wrong value, an answer that had\n" +
      "to be rejected, or a crash. naive: the whole text, else the first fence, else the first bracket to the last.\n" +
      "All three check the same schemas. The cases are chosen for being hard: their mix is not that of any model.",
    columns: ["", "to read", "to reject", ...names.flatMap((name) => [`${name} read`, "rejected", "fatal"])],
    rows: [...rows, row("all", cases)],
  };
}

function row(name: string, cases: readonly Case[]): (string | number)[] {
  const toRead = cases.filter(({ expect }) => expect.outcome === "ok").length;
  const tallies = Object.values(readers).map((parse) => tally(cases, parse));
  const cells = tallies.flatMap((each) => [each.read, each.rejected, fatal(each)]);
  return [name, toRead, cases.length - toRead, ...cells];
}

function tally(cases: readonly Case[], parse: typeof parseAnswer): Tally {
  const schemas = createJsonSchemas();
  const seen: Tally = { read: 0, rejected: 0, wrongValues: 0, falseAccepts: 0, crashes: 0 };
  for (const example of cases) {
    const grade: keyof Grades = gradeCase(example, schemas, parse);
    if (grade === "right") seen[example.expect.outcome === "ok" ? "read" : "rejected"] += 1;
    if (grade === "wrongValue") seen.wrongValues += 1;
    if (grade === "falseAccept") seen.falseAccepts += 1;
    if (grade === "crash") seen.crashes += 1;
  }
  return seen;
}

/** Zero, or the number and its kinds. */
function fatal({ wrongValues, falseAccepts, crashes }: Tally): string | number {
  const kinds = Object.entries({ wrong: wrongValues, accepted: falseAccepts, crash: crashes })
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  return kinds.length > 0 ? kinds.join(", ") : 0;
}
