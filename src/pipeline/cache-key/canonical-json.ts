import { decimalOf } from "../parse/decimal.ts";

export interface CanonicalJsonOptions {
  /** Whether the order of the members of an object is spelling. Where it is not, it is kept. */
  readonly sortKeys: boolean;
  /**
   * Whether `1.10` is another number than `1.1`, as it is where somebody reads the digits ("as_written", the default),
   * or the same ("by_value", without a double in between: no digit is lost).
   */
  readonly numbers?: "as_written" | "by_value";
}

/** An object or list whose end was not reached yet. */
interface Open {
  readonly isObject: boolean;
  /** What was read of it, where the order stays. */
  text: string;
  /** What was read of it, where keys are sorted: each key with its value. */
  readonly members: { readonly key: string; readonly text: string }[] | undefined;
  /** Of the member that is being read; undefined before its key. */
  key: string | undefined;
}

/**
 * One text for all spellings of a JSON text: no white space, every string with the same escapes. Linear but for the
 * sorting of keys, and safe at any depth. Keys that stand twice are kept, in their order; a text that is no JSON comes
 * back as it is, which no canonical text equals.
 */
export function canonicalJson(text: string, { sortKeys, numbers = "as_written" }: CanonicalJsonOptions): string {
  if (!isJson(text)) return text;
  const reader = new TokenReader(text, numbers);
  const open: Open[] = [];
  for (let inner: Open | undefined; ; ) {
    const token = reader.next();
    if (token === "," || token === ":") continue;
    if (token === "{" || token === "[") {
      const isObject = token === "{";
      inner = { isObject, text: token, members: isObject && sortKeys ? [] : undefined, key: undefined };
      open.push(inner);
      continue;
    }
    let value = token;
    if (inner && (token === "}" || token === "]")) {
      value = close(inner) + token;
      open.pop();
      inner = open.at(-1);
    } else if (inner?.isObject && inner.key === undefined) {
      inner.key = token;
      continue;
    }
    if (!inner) return value;
    add(inner, value);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Joins by `+`: the engine then copies the characters once, at the end, and not again at every level. */
function add(open: Open, value: string): void {
  const { key } = open;
  open.key = undefined;
  if (open.members && key !== undefined) {
    open.members.push({ key, text: value });
    return;
  }
  const comma = open.text.length > 1 ? "," : "";
  open.text += key === undefined ? comma + value : `${comma}${key}:${value}`;
}

/** All but the closing bracket. */
function close(open: Open): string {
  // The spelling of keys is canonical by now, so that comparing their texts orders them. Sorting is stable.
  const sorted = open.members?.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))) ?? [];
  let { text } = open;
  for (const [index, member] of sorted.entries()) text += `${index ? "," : ""}${member.key}:${member.text}`;
  return text;
}

const SPACE = /[ \t\n\r]*/y;
const WORD = /[^ \t\n\r,:[\]{}"]+/y;

/** Reads a text that `JSON.parse` takes, token by token, each in its canonical spelling. */
class TokenReader {
  readonly #text: string;
  readonly #numbers: CanonicalJsonOptions["numbers"];
  /** Half a surrogate pair has two spellings: itself and its escape. */
  readonly #isWellFormed: boolean;
  #at = 0;

  constructor(text: string, numbers: CanonicalJsonOptions["numbers"]) {
    this.#text = text;
    this.#numbers = numbers;
    this.#isWellFormed = text.isWellFormed();
  }

  next(): string {
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#take(SPACE);
    const first = this.#text.charAt(this.#at);
    if (first === '"') return this.#string();
    if (",:[]{}".includes(first)) {
      this.#at += 1;
      return first;
    }
    const word = this.#take(WORD);
    return this.#numbers === "by_value" && !/^[tfn]/.test(word) ? canonicalNumber(word) : word;
  }

  #take(pattern: RegExp): string {
    const start = this.#at;
    pattern.lastIndex = start;
    pattern.test(this.#text);
    this.#at = pattern.lastIndex;
    return this.#text.slice(start, this.#at);
  }

  #string(): string {
    const start = this.#at;
    const end = endOfString(this.#text, start);
    this.#at = end;
    const token = this.#text.slice(start, end);
    return this.#isWellFormed && !token.includes("\\") ? token : JSON.stringify(JSON.parse(token));
  }
}

/** The offset after the closing quote. Not a pattern: a pattern would keep a way back from each escape of a long text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at += 1;
    else if (code === 0x22) return at + 1;
  }
}

/** 1.0, 1e0, 10e-1 and 1 are one number, and so are 0 and -0. */
function canonicalNumber(word: string): string {
  const { isNegative, digits, exponent } = decimalOf(word);
  if (!digits) return "0";
  // Two exponents beyond what a double counts exactly might be taken for one.
  if (!Number.isSafeInteger(exponent)) return word;
  return `${isNegative ? "-" : ""}${digits}${exponent === 0 ? "" : `e${exponent}`}`;
}
