import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { JsonSchemas } from "../../../src/core/json-schema.ts";
import { type Answer, type ParsedAnswer, parseAnswer, type WantedOutput } from "../../../src/pipeline/parse.ts";

export interface Case {
  readonly id: string;
  readonly level: "must" | "policy";
  readonly schema: unknown;
  readonly raw: string;
  readonly finish_reason?: "stop" | "length";
  readonly expect: {
    readonly outcome: "ok" | "reject";
    readonly value?: unknown;
    /** Values that may be accepted although a rejection is expected. */
    readonly also_ok?: readonly unknown[];
    /** Texts that may be accepted if they reach the client digit for digit. */
    readonly also_ok_text?: readonly string[];
  };
}

/** Ids of the cases by what came of them. The first three kinds must stay empty. */
export interface Grades {
  readonly wrongValue: string[];
  readonly falseAccept: string[];
  readonly crash: string[];
  /** Rejected although it can be read: costs a call. */
  readonly missed: string[];
  readonly right: string[];
}

/** The cases of a corpus: one JSON object a line. */
export function readCorpus(file: URL): readonly Case[] {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line): Case => JSON.parse(line));
}

/** Runs every case of a corpus through the parse stage. */
export function gradeCorpus(file: URL, schemas: JsonSchemas): Grades {
  const grades: Grades = { wrongValue: [], falseAccept: [], crash: [], missed: [], right: [] };
  for (const example of readCorpus(file)) grades[gradeCase(example, schemas, parseAnswer)].push(example.id);
  return grades;
}

/** What a way of reading answers makes of one case. */
export function gradeCase(
  { schema, raw, finish_reason, expect }: Case,
  schemas: JsonSchemas,
  parse: (answer: Answer, output: WantedOutput) => ParsedAnswer,
): keyof Grades {
  try {
    const compiled = schemas.compile(JSON.stringify(schema));
    const parsed = parse({ text: raw, finish: finish_reason ?? "stop" }, { kind: "json", schema: compiled });
    if (!parsed.ok) return expect.outcome === "ok" ? "missed" : "right";
    if (expect.outcome === "ok") return isDeepStrictEqual(parsed.value, expect.value) ? "right" : "wrongValue";
    const isTolerated =
      expect.also_ok?.some((value) => isDeepStrictEqual(parsed.value, value)) ||
      expect.also_ok_text?.some((text) => text.replaceAll(/\s/g, "") === parsed.text.replaceAll(/\s/g, ""));
    return isTolerated ? "right" : "falseAccept";
  } catch {
    return "crash";
  }
}
