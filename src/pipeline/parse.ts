import type { Answer, ParsedAnswer, WantedOutput } from "./parse/answer.ts";
import { parseJsonAnswer } from "./parse/json-answer.ts";

export type { Answer, ParsedAnswer, WantedOutput } from "./parse/answer.ts";
export type { Repair } from "./parse/repair.ts";

/**
 * Turns a model's answer into what was asked for, or says what is wrong with it. Pure, linear in the length of the
 * text, never throws for any text. A repair changes notation, never data: what can be read in two ways is rejected.
 */
export function parseAnswer(answer: Answer, output: WantedOutput): ParsedAnswer {
  if (output.kind === "json") return parseJsonAnswer(answer, output.schema, output.shownExample);
  if (answer.text.trim()) return { ok: true, text: answer.text, repairs: [] };
  const violation = { path: "", rule: "empty", expected: "an answer", got: "an empty text" };
  return { ok: false, violations: [violation], truncated: answer.finish === "length" };
}
