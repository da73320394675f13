import { isObject } from "../untrusted.ts";

const TEXT_PARTS: ReadonlySet<unknown> = new Set(["text", "output_text"]);

/**
 * The text of a message's or delta's `content`: a string, or the text parts of a list (Mistral sends its reasoning as
 * parts of the type "thinking", which are no part of the answer). Empty where there is none.
 */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map(textOfPart).join("");
}

function textOfPart(part: unknown): string {
  if (typeof part === "string") return part;
  if (!isObject(part) || !TEXT_PARTS.has(part.type)) return "";
  return typeof part.text === "string" ? part.text : "";
}
