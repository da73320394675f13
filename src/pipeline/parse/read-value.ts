import { type Cursor, refuse, Unreadable } from "./cursor.ts";
import { type Rounding, readNumber } from "./read-number.ts";
import { isQuote, readString } from "./read-string.ts";
import type { Repair } from "./repair.ts";
import { refuseOperand, skipTrivia } from "./trivia.ts";

/** Levels of arrays and objects. */
export const MAX_LEVELS = 512;
const LITERALS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);
const PYTHON_LITERALS: ReadonlyMap<string, string> = new Map([
  ["True", "true"],
  ["False", "false"],
  ["None", "null"],
]);
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const KEY_NUMBER = /(?:0|[1-9]\d*)(?![\w.+-])/y;
const NUMBER_START = /[-+.\d]/;

/** A value that was read in the one way in which it can be read. */
export interface ReadValue {
  readonly value: unknown;
  /** The value in strict JSON: the source itself where nothing had to be repaired, digits untouched either way. */
  readonly text: string;
  readonly start: number;
  /** Offset after its last character. */
  readonly end: number;
  readonly repairs: ReadonlySet<Repair>;
  /** Whether it holds a number that a double cannot hold, so that `value` is only near what `text` says. */
  readonly isInexact: boolean;
}

/**
 * Reads the JSON value that begins at an offset, with the repairs of notation that leave one reading only. Linear in the
 * length of the value; iterative, so that depth ends in a refusal.
 * @throws Unreadable
 */
export function readValue(text: string, start: number, rounding: Rounding = "nearest"): ReadValue {
  const first = new ValueReader(text, start, rounding, undefined);
  const value = first.readOrLocate();
  const { at: end, repairs } = first.cursor;
  const common = { value, start, end, repairs, isInexact: first.isInexact };
  if (!repairs.size) return { ...common, text: text.slice(start, end) };
  const pieces: string[] = [];
  new ValueReader(text, start, rounding, pieces).read();
  return { ...common, text: pieces.join("") };
}

interface Frame {
  readonly value: unknown[] | Record<string, unknown>;
  readonly closer: "}" | "]";
  /** The member that is being read. */
  key: string;
}

class ValueReader {
  readonly cursor: Cursor;
  isInexact = false;
  readonly #rounding: Rounding;
  /** Where the value is written anew; undefined while the source may still do. */
  readonly #pieces: string[] | undefined;
  readonly #open: Frame[] = [];

  constructor(text: string, start: number, rounding: Rounding, pieces: string[] | undefined) {
    this.cursor = { text, at: start, repairs: new Set() };
    this.#rounding = rounding;
    this.#pieces = pieces;
  }

  /** Reads, and says of a failure where in the value it lies. */
  readOrLocate(): unknown {
    try {
      return this.read();
    } catch (error) {
      if (error instanceof Unreadable) error.path = this.#pointer();
      throw error;
    }
  }

  #pointer(): string {
    const steps = this.#open.map(({ value, key }) => (Array.isArray(value) ? String(value.length) : key));
    return steps.map((step) => `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  }

  read(): unknown {
    for (;;) {
      let value: unknown;
      const frame = this.#openContainer();
      if (!frame) value = this.#scalar();
      else if (this.#firstMember(frame)) continue;
      else value = this.#close(frame);
      for (;;) {
        const parent = this.#open.at(-1);
        if (!parent) return value;
        place(parent, value);
        if (this.#nextMember(parent)) break;
        value = this.#close(parent);
      }
    }
  }

  #openContainer(): Frame | undefined {
    const { cursor } = this;
    const opener = cursor.text.charAt(cursor.at);
    if (opener !== "{" && opener !== "[") return undefined;
    if (this.#open.length >= MAX_LEVELS) refuse(cursor, `at most ${MAX_LEVELS} levels`);
    const frame: Frame = opener === "{" ? { value: {}, closer: "}", key: "" } : { value: [], closer: "]", key: "" };
    this.#open.push(frame);
    cursor.at += 1;
    this.#pieces?.push(opener);
    return frame;
  }

  #close(frame: Frame): unknown {
    this.cursor.at += 1;
    this.#open.pop();
    this.#pieces?.push(frame.closer);
    return frame.value;
  }

  /** Moves to the first member; false, at the closing bracket, where there is none. */
  #firstMember(frame: Frame): boolean {
    skipTrivia(this.cursor);
    if (this.#peek() === frame.closer) return false;
    if (frame.closer === "}") this.#key(frame);
    return true;
  }

  /** Moves from the end of a member to the next; false, at the closing bracket, where there is none. */
  #nextMember(frame: Frame): boolean {
    const { cursor } = this;
    const end = cursor.at;
    skipTrivia(cursor, "touching");
    const character = this.#peek();
    if (character === frame.closer) return false;
    if (character === ",") {
      cursor.at += 1;
      // In a list "#urgent" could be the next value without its quotes.
      skipTrivia(cursor, frame.closer === "}" ? "touching" : "apart");
      if (this.#peek() === frame.closer) {
        cursor.repairs.add("trailing_comma");
        return false;
      }
    } else if (frame.closer === "}" && isQuote(character) && this.#isApart(end)) {
      cursor.repairs.add("missing_comma");
    } else {
      refuse(cursor, `a comma or ${frame.closer}`);
    }
    this.#pieces?.push(",");
    if (frame.closer === "}") this.#key(frame);
    return true;
  }

  /** Whether a quote after a value begins a key: right after a string it might as well be a quote inside the string. */
  #isApart(end: number): boolean {
    return this.cursor.at > end || !isQuote(this.cursor.text.charAt(end - 1));
  }

  #key(frame: Frame): void {
    const { cursor } = this;
    const start = cursor.at;
    const key = this.#keyName();
    if (key === "__proto__") throw new Unreadable(start, "a key other than __proto__");
    if (Object.hasOwn(frame.value, key)) throw new Unreadable(start, "each key once");
    frame.key = key;
    skipTrivia(cursor);
    if (this.#peek() !== ":") refuse(cursor, "a colon");
    cursor.at += 1;
    this.#pieces?.push(":");
    skipTrivia(cursor, "value");
  }

  #keyName(): string {
    const { cursor } = this;
    if (isQuote(this.#peek())) return this.#string();
    const name = matchAt(KEY_NUMBER, cursor) ?? matchAt(WORD, cursor);
    if (!name || LITERALS.has(name) || PYTHON_LITERALS.has(name)) return refuse(cursor, "a key in quotes");
    cursor.at += name.length;
    cursor.repairs.add("unquoted_keys");
    this.#pieces?.push(JSON.stringify(name));
    return name;
  }

  #scalar(): unknown {
    const { cursor } = this;
    const character = this.#peek();
    if (isQuote(character)) return this.#string();
    if (NUMBER_START.test(character) && !cursor.text.startsWith("..", cursor.at)) return this.#number();
    const word = matchAt(WORD, cursor) ?? "";
    const literal = PYTHON_LITERALS.get(word) ?? word;
    const value = LITERALS.get(literal);
    if (value === undefined) {
      // A word that the text ends in may be the beginning of a literal.
      if (word && cursor.at + word.length === cursor.text.length) cursor.at = cursor.text.length;
      return refuse(cursor, "a value");
    }
    if (literal !== word) cursor.repairs.add("python_literals");
    cursor.at += word.length;
    this.#pieces?.push(literal);
    return value;
  }

  #string(): string {
    const start = this.cursor.at;
    const { value, isStrict } = readString(this.cursor);
    this.#pieces?.push(isStrict ? this.cursor.text.slice(start, this.cursor.at) : JSON.stringify(value));
    return value;
  }

  #number(): number {
    const { value, text, isInexact } = readNumber(this.cursor, this.#rounding);
    this.isInexact ||= isInexact;
    this.#pieces?.push(text);
    refuseOperand(this.cursor);
    return value;
  }

  #peek(): string {
    return this.cursor.text.charAt(this.cursor.at);
  }
}

function place(frame: Frame, value: unknown): void {
  if (Array.isArray(frame.value)) frame.value.push(value);
  else frame.value[frame.key] = value;
}

function matchAt(pattern: RegExp, cursor: Cursor): string | undefined {
  pattern.lastIndex = cursor.at;
  return pattern.exec(cursor.text)?.[0];
}
