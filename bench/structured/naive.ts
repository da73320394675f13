import type { Answer, ParsedAnswer, WantedOutput } from "../../src/pipeline/parse.ts";

/** The baseline: the whole text and nothing but JSON, then the same schema. */
export function parseWhole({ text }: Answer, output: WantedOutput): ParsedAnswer {
  return parsed(text, output);
}

/**
 * What is often written by hand: the whole text; else what stands in the first fence; else what stands from the first
 * brace or bracket to the last one. Then the same schema.
 */
export function parseNaively({ text }: Answer, output: WantedOutput): ParsedAnswer {
  const fenced = /```(?:\w+)?\s*([\s\S]*?)```/.exec(text)?.[1];
  const braced = /[{[][\s\S]*[}\]]/.exec(text)?.[0];
  for (const candidate of [text, fenced, braced]) {
    const result = candidate === undefined ? undefined : parsed(candidate, output);
    if (result?.ok) return result;
  }
  return rejected;
}

const rejected: ParsedAnswer = { ok: false, violations: [], truncated: false };

function parsed(text: string, output: WantedOutput): ParsedAnswer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return rejected;
  }
  if (output.kind === "json" && output.schema.validate(value).length > 0) return rejected;
  return { ok: true, value, text: JSON.stringify(value), repairs: [] };
}
