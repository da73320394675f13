import type { Spell } from "./canonical-parts.ts";

/**
 * The variables of a prompt as one text. Their keys are in order since they were read. Numbers stand there as the prompt
 * prints them, and texts as texts: `1.10` and `"1.10"` print the same but are not the same to conditions and checks.
 * Keys are names, which are looked up, so that they are never spelled anew. Recursive: validation has bounded the depth.
 * @param spelled where a number is a text, its digits.
 */
export function canonicalVariables(value: unknown, spelled: unknown, spell: Spell): string {
  if (typeof value === "string") return JSON.stringify(spell(value));
  if (typeof value !== "object" || value === null) {
    return typeof spelled === "string" ? spelled : (JSON.stringify(value) ?? "null");
  }
  const spelledMember = (key: string | number) => Reflect.get(Object(spelled), key);
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => canonicalVariables(item, spelledMember(index), spell)).join(",")}]`;
  }
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}:${canonicalVariables(member, spelledMember(key), spell)}`,
  );
  return `{${members.join(",")}}`;
}
