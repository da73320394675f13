/** A pattern that is none, or that needs what a linear-time engine cannot do. */
export class PatternError extends Error {}

/** What JavaScript's `\s` matches (ECMA-262, WhiteSpace and LineTerminator); RE2's `\s` is ASCII only. */
const SPACE = "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
const NOT_SPACE =
  "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}" +
  "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
const ANY = "\\x{0}-\\x{10ffff}";
const CONTROL_ESCAPES: Readonly<Record<string, string>> = { t: "\\t", n: "\\n", r: "\\r", f: "\\f", v: "\\x{b}" };
const CATEGORIES: Readonly<Record<string, string>> = {
  Letter: "L",
  Lowercase_Letter: "Ll",
  Uppercase_Letter: "Lu",
  Titlecase_Letter: "Lt",
  Modifier_Letter: "Lm",
  Other_Letter: "Lo",
  Mark: "M",
  Number: "N",
  Decimal_Number: "Nd",
  Letter_Number: "Nl",
  Other_Number: "No",
  Punctuation: "P",
  Symbol: "S",
  Separator: "Z",
  Space_Separator: "Zs",
  Control: "Cc",
  Other: "C",
};

/**
 * Rewrites a pattern of ECMA-262 (with the `u` flag, as JSON Schema asks) into RE2 syntax of the same meaning: the two
 * differ in `.`, `\s`, empty classes, escapes and property names.
 * @throws PatternError for what is no pattern, and for lookaround, backreferences and inline flags.
 */
export function toRe2(pattern: string): string {
  try {
    new RegExp(pattern, "u");
  } catch {
    throw new PatternError("is not a regular expression of ECMA-262 with the u flag");
  }
  let out = "";
  for (let at = 0; at < pattern.length; ) {
    const [piece, next] = atom(pattern, at);
    out += piece;
    at = next;
  }
  return out;
}

type Piece = readonly [re2: string, next: number];

function atom(pattern: string, at: number): Piece {
  const character = pattern.charAt(at);
  if (character === "\\") return readEscape(pattern, at, false);
  if (character === "[") return characterClass(pattern, at);
  if (character === "(") return group(pattern, at);
  if (character === ".") return ["[^\\n\\r\\x{2028}\\x{2029}]", at + 1];
  return [character, at + 1];
}

function group(pattern: string, at: number): Piece {
  if (pattern.charAt(at + 1) !== "?") return ["(?:", at + 1];
  if (pattern.startsWith("(?:", at)) return ["(?:", at + 3];
  const named = /^\(\?<([^=!>][^>]*)>/.exec(pattern.slice(at, at + 256));
  if (named) return ["(?:", at + named[0].length];
  if (/^\(\?<?[=!]/.test(pattern.slice(at, at + 4)))
    throw new PatternError("lookahead and lookbehind are not supported");
  throw new PatternError("inline flags are not supported");
}

function characterClass(pattern: string, start: number): Piece {
  const negated = pattern.charAt(start + 1) === "^";
  let at = start + (negated ? 2 : 1);
  let members = "";
  while (pattern.charAt(at) !== "]") {
    const character = pattern.charAt(at);
    const [piece, next]: Piece =
      character === "\\"
        ? readEscape(pattern, at, true)
        : [/[[^&~]/.test(character) ? `\\${character}` : character, at + 1];
    members += piece;
    at = next;
  }
  if (!members) return [negated ? `[${ANY}]` : `[^${ANY}]`, at + 1];
  return [`[${negated ? "^" : ""}${members}]`, at + 1];
}

function readEscape(pattern: string, at: number, inClass: boolean): Piece {
  const kind = pattern.charAt(at + 1);
  const control = CONTROL_ESCAPES[kind];
  if (control) return [control, at + 2];
  if (kind === "s" || kind === "S") {
    const members = kind === "s" ? SPACE : NOT_SPACE;
    return [inClass ? members : `[${members}]`, at + 2];
  }
  if (kind === "b" && inClass) return ["\\x{8}", at + 2];
  if (/[dDwWbB]/.test(kind)) return [`\\${kind}`, at + 2];
  if (kind === "0") return ["\\x{0}", at + 2];
  if (/[1-9k]/.test(kind)) throw new PatternError("backreferences are not supported");
  if (kind === "c") return [codePoint(pattern.charCodeAt(at + 2) % 32), at + 3];
  if (kind === "x") return [codePoint(Number.parseInt(pattern.slice(at + 2, at + 4), 16)), at + 4];
  if (kind === "u") return unicodeEscape(pattern, at);
  if (kind === "p" || kind === "P") return propertyEscape(pattern, at);
  return [kind === "/" || kind === "-" ? `\\x{${kind.charCodeAt(0).toString(16)}}` : `\\${kind}`, at + 2];
}

function unicodeEscape(pattern: string, at: number): Piece {
  if (pattern.charAt(at + 2) === "{") {
    const end = pattern.indexOf("}", at);
    return [codePoint(Number.parseInt(pattern.slice(at + 3, end), 16)), end + 1];
  }
  const pair = /^\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(pattern.slice(at, at + 12));
  if (pair) {
    const text = String.fromCharCode(Number.parseInt(pair[1] ?? "", 16), Number.parseInt(pair[2] ?? "", 16));
    return [codePoint(text.codePointAt(0) ?? 0), at + 12];
  }
  return [codePoint(Number.parseInt(pattern.slice(at + 2, at + 6), 16)), at + 6];
}

function propertyEscape(pattern: string, at: number): Piece {
  const end = pattern.indexOf("}", at);
  const property = pattern.slice(at + 3, end);
  const [, value = property] = /^(?:Script|sc|General_Category|gc)=(.*)$/.exec(property) ?? [];
  if (value.includes("=")) throw new PatternError(`the property ${property} is not supported`);
  return [`\\${pattern.charAt(at + 1)}{${CATEGORIES[value] ?? value}}`, end + 1];
}

function codePoint(code: number): string {
  return `\\x{${code.toString(16)}}`;
}
