/** Longer patterns are not read. */
const MAX_PATTERN_CHARACTERS = 500;
/** Groups within groups. */
const MAX_DEPTH = 8;

/** Tried in turn where a class or a dot leaves a choice. */
const PREFERRED = ["A", "a", "0", "-", " "];

const BY_ESCAPE: Readonly<Record<string, string>> = {
  d: "0",
  w: "a",
  s: " ",
  D: "a",
  W: "-",
  S: "a",
  t: "\t",
  n: "\n",
};

/** What is left to read of a pattern. */
interface Reader {
  readonly pattern: string;
  at: number;
  /** How often more than they must parts are repeated that may be. */
  readonly repeat: number;
  /** Longer texts are given up. */
  readonly max: number;
}

/** Not one of the patterns that are understood here. */
class NoExample extends Error {}

/**
 * A text that matches a simple pattern: characters, classes, groups, choices, counts. Undefined for anything else, and
 * where the length does not come out. Not proven to match: the example as a whole is validated.
 */
export function exampleOfPattern(pattern: string, min: number, max: number): string | undefined {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return undefined;
  try {
    const shortest = readPattern(pattern, 0, max);
    if (shortest.length >= min) return shortest;
    // Every further repetition of its open parts makes the text longer by the same.
    const growth = readPattern(pattern, 1, max).length - shortest.length;
    return growth > 0 ? readPattern(pattern, Math.ceil((min - shortest.length) / growth), max) : undefined;
  } catch (error) {
    if (error instanceof NoExample) return undefined;
    throw error;
  }
}

function readPattern(pattern: string, repeat: number, max: number): string {
  const reader: Reader = { pattern, at: 0, repeat, max };
  const text = readChoices(reader, 0);
  if (reader.at < pattern.length) throw new NoExample();
  return text;
}

/** The first of several choices; the others are read to find their end. */
function readChoices(reader: Reader, depth: number): string {
  if (depth > MAX_DEPTH) throw new NoExample();
  const first = readSequence(reader, depth);
  while (reader.pattern[reader.at] === "|") {
    reader.at += 1;
    readSequence(reader, depth);
  }
  return first;
}

function readSequence(reader: Reader, depth: number): string {
  let text = "";
  while (reader.at < reader.pattern.length && !"|)".includes(reader.pattern[reader.at] ?? "")) {
    const part = readPart(reader, depth);
    text += repeated(part, readCount(reader), reader.max);
    if (text.length > reader.max) throw new NoExample();
  }
  return text;
}

function readPart(reader: Reader, depth: number): string {
  const char = reader.pattern[reader.at++] ?? "";
  if (char === "^" || char === "$") return "";
  if (char === ".") return "a";
  if (char === "[") return readClass(reader);
  if (char === "\\") return readEscape(reader);
  if (char !== "(") return char;
  if (reader.pattern[reader.at] === "?") {
    if (!reader.pattern.startsWith("?:", reader.at)) throw new NoExample();
    reader.at += 2;
  }
  const text = readChoices(reader, depth + 1);
  reader.at += 1;
  return text;
}

function readEscape(reader: Reader): string {
  const char = reader.pattern[reader.at++] ?? "";
  const known = BY_ESCAPE[char];
  if (known !== undefined) return known;
  if (/[A-Za-z0-9]/.test(char)) throw new NoExample();
  return char;
}

function readClass(reader: Reader): string {
  const end = /^\^?(?:\\.|[^\]\\])*\]/.exec(reader.pattern.slice(reader.at, reader.at + 256))?.[0];
  if (end === undefined) throw new NoExample();
  reader.at += end.length;
  let members: RegExp;
  try {
    // One class against one character: nothing in it can take time.
    members = new RegExp(`^[${end}$`, "u");
  } catch {
    throw new NoExample();
  }
  const char = [...PREFERRED, ...end.replaceAll("\\", "")].find((candidate) => members.test(candidate));
  if (char === undefined) throw new NoExample();
  return char;
}

function readCount(reader: Reader): number {
  const [count = "", min, open] =
    /^(?:[?*+]|\{(\d+)(,\d*)?\})\??/.exec(reader.pattern.slice(reader.at, reader.at + 16)) ?? [];
  reader.at += count.length;
  if (count === "") return 1;
  if (count.startsWith("?")) return 0;
  const least = min === undefined ? Number(count.startsWith("+")) : Number(min);
  const isFixed = min !== undefined && open === undefined;
  const most = open === undefined || open === "," ? Number.POSITIVE_INFINITY : Number(open.slice(1));
  return isFixed ? least : Math.min(least + reader.repeat, most);
}

function repeated(part: string, count: number, max: number): string {
  if (part.length * count > max) throw new NoExample();
  return part.repeat(count);
}
