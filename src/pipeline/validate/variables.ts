import type { PromptInput } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { invalidRequest } from "../../core/failure.ts";
import type { PromptVariables } from "../../core/prompt.ts";
import { readWhole } from "../parse/whole.ts";

/** The limit stands in the comment of `PromptInput.variables`; protovalidate cannot see into a Struct. */
const MAX_DEPTH = 16;

/**
 * Reads the variables of a prompt from whichever field holds them. The keys of objects come back in one order, whatever
 * the order in which they were sent: that of a protobuf map is random, and no prompt may be rendered by chance.
 * @throws SluiceError INVALID_REQUEST with the path of the value that breaks a rule.
 */
export function readVariables(prompt: PromptInput): PromptVariables {
  if (prompt.variablesJson === "") {
    const value = prompt.variables ?? {};
    checkValue(value, "input.prompt.variables", 1);
    const ordered = inOrder(value);
    return { value: ordered, spelled: ordered };
  }
  const field = "input.prompt.variables_json";
  const value = parseObject(prompt.variablesJson, field);
  checkValue(value, field, 1);
  // What JSON.parse reads and the strict reader does not, after the checks above, is a key that stands twice.
  if (!readWhole(prompt.variablesJson)) throw invalidRequest(field, "json.duplicate_key", "must not have a key twice");
  const ordered = inOrder(value);
  return { value: ordered, spelled: respell(prompt.variablesJson, ordered) };
}

function parseObject(text: string, field: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidRequest(field, "json", "is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidRequest(field, "json.object", "must be a JSON object");
  }
  return value;
}

/** Numbers that a double might print otherwise, and texts that look like them. */
const MAY_PRINT_OTHERWISE = /\d[.eE]|\d{16}|-0/;

/**
 * `1.10` and `12345678901234567890` must reach the prompt as written, and a double would print neither so.
 * @param ordered what is given back where there is no such number.
 */
function respell(text: string, ordered: unknown): unknown {
  if (!MAY_PRINT_OTHERWISE.test(text)) return ordered;
  let isRespelled = false;
  const spelled = JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== "number" || context?.source === undefined || String(value) === context.source) return value;
    isRespelled = true;
    return context.source;
  });
  return isRespelled ? inOrder(spelled) : ordered;
}

/**
 * A copy whose objects have their keys in ascending order of UTF-16 units, after the keys that are array indices, which
 * JavaScript puts first. -0 becomes 0. The depth was checked.
 */
function inOrder(value: unknown): unknown {
  if (typeof value === "number") return value + 0;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const ordered: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) ordered[key] = inOrder(Reflect.get(value, key));
  return ordered;
}

function checkValue(value: unknown, path: string, depth: number): void {
  if (typeof value === "string") checkText(value, path);
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw invalidRequest(path, "json.number", "must be a number that a double can hold");
  }
  if (typeof value !== "object" || value === null) return;
  if (depth > MAX_DEPTH) throw invalidRequest(path, "max_depth", `must be at most ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      checkValue(item, `${path}[${index}]`, depth + 1);
    });
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    // An own "__proto__" is legal JSON, but no template and no schema could tell it from the prototype.
    if (key === "__proto__") throw invalidRequest(path, "key", 'must not have a key named "__proto__"');
    checkText(key, path);
    checkValue(member, `${path}.${key}`, depth + 1);
  }
}

function checkText(text: string, path: string): void {
  if (text.includes("\0")) throw invalidRequest(path, "string.not_contains", "must not contain NUL");
  if (!text.isWellFormed()) throw invalidRequest(path, "string.utf8", "must be well-formed Unicode");
}
