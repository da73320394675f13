import type { FaultClass, QuestionPlan } from "./plan.ts";

export const CHECKED_SCHEMA = JSON.stringify({
  type: "object",
  required: ["tag", "n", "lines"],
  properties: {
    tag: { type: "string" },
    n: { type: "integer", minimum: 0 },
    lines: { type: "array", items: { type: "object" } },
  },
  additionalProperties: false,
});

export const TEXT_CHECK = { rule: "!output.contains('never')", message: "the answer must not say never" };
export const JSON_CHECK = { rule: "output.n <= 100", message: "n is at most 100" };

/** What the model writes when nothing breaks off. `tag` says which attempt wrote it. */
export function answerText(fault: FaultClass, { output }: QuestionPlan, tag: string): string {
  if (fault === "blank") return " \n";
  if (output === "text") {
    const text = `${tag} 🛳 sails at séven [c0], ${fault === "bad_semantics" ? "never" : "always"} from quay 夜.`;
    return fault === "truncated" ? text.slice(0, text.indexOf("sails")) : text;
  }
  const value = {
    tag,
    n: fault === "wrong_shape" ? "many" : fault === "bad_semantics" ? 500 : 5,
    lines: [
      { sku: "Å", amount: 1.5 },
      { sku: "🛳", note: 'a "quoted" one' },
    ],
  };
  const text = JSON.stringify(value, null, 1);
  if (fault === "wrapped_json") return `Here it is:\n\`\`\`json\n${text}\n\`\`\`\nAnything else?`;
  // Half of a value, with or without the word that the tokens ran out.
  if (fault === "truncated" || fault === "malformed_json") return text.slice(0, text.indexOf("sku"));
  return text;
}

/** Whether a whole answer of this class is what was asked for. Undefined where it depends on what the pipeline knows. */
export function isGoodAnswer(fault: FaultClass, { output, hasChecks }: QuestionPlan): boolean {
  if (fault === "blank") return false;
  if (fault === "bad_semantics") return !hasChecks;
  if (fault === "truncated" || fault === "malformed_json" || fault === "wrong_shape") return output === "text";
  return true;
}

/** Cuts a text into pieces at shares of what is left, never inside a character. None is empty. */
export function cutAt(text: string, shares: readonly number[]): string[] {
  let left = [...text];
  const pieces: string[] = [];
  for (const share of shares) {
    const size = Math.floor(share * left.length);
    pieces.push(left.slice(0, size).join(""));
    left = left.slice(size);
  }
  return [...pieces, left.join("")].filter((piece) => piece !== "");
}
