/** A place in a text, counted from 1; columns in UTF-16 units, as editors count them. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * Where a text that is no JSON cannot be read on: the beginning of the first token that does not fit, or the end. V8 says
 * so for some faults only, and quotes the text for others. Linear in the text.
 * @returns undefined where the text is JSON, or nested so deeply that it is no request.
 */
export function jsonFaultPlace(text: string): TextPlace | undefined {
  const offset = faultOffset(text);
  if (offset === undefined) return undefined;
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

const MAX_LEVELS = 1_000;
const SPACE = /[ \t\n\r]*/y;
const NUMBER_OR_WORD = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const CLOSING = { "{": "}", "[": "]" } as const;

function faultOffset(text: string): number | undefined {
  const open: (keyof typeof CLOSING)[] = [];
  let expected: "value" | "value or ]" | "key" | "key or }" | "colon" | "comma" = "value";
  for (let at = endOf(SPACE, text, 0) ?? 0; ; at = endOf(SPACE, text, at) ?? at) {
    const next = text[at];
    const inner = open.at(-1);
    if (next === undefined) return expected === "comma" && inner === undefined ? undefined : at;
    if (inner !== undefined && next === CLOSING[inner] && (expected === "comma" || expected.endsWith(next))) {
      open.pop();
      expected = "comma";
      at += 1;
    } else if (expected === "comma") {
      if (next !== "," || inner === undefined) return at;
      expected = inner === "{" ? "key" : "value";
      at += 1;
    } else if (expected === "colon") {
      if (next !== ":") return at;
      expected = "value";
      at += 1;
    } else if (expected.startsWith("value") && (next === "{" || next === "[")) {
      if (open.push(next) > MAX_LEVELS) return undefined;
      expected = next === "{" ? "key or }" : "value or ]";
      at += 1;
    } else {
      const isKey = expected.startsWith("key");
      const end = next === '"' ? endOfString(text, at) : isKey ? undefined : endOf(NUMBER_OR_WORD, text, at);
      if (end === undefined) return at;
      expected = isKey ? "colon" : "comma";
      at = end;
    }
  }
}

/** The offset after what a sticky pattern matches at an offset; undefined where it does not match. */
function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function endOfString(text: string, start: number): number | undefined {
  for (let at: number | undefined = start + 1; at !== undefined && at < text.length; ) {
    const unit: string | undefined = text[at];
    if (unit === '"') return at + 1;
    if (unit === undefined || unit < " ") return undefined;
    at = unit === "\\" ? endOf(ESCAPE, text, at) : at + 1;
  }
  return undefined;
}
