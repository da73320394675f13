import { Frame } from "./json-parts/frame.ts";
import { type Mark, Tape } from "./json-parts/tape.ts";
import { decodeString, isScalar, isWordCode } from "./json-parts/token.ts";
import { MAX_LEVELS } from "./parse/read-value.ts";

/** A value inside a JSON answer that is complete. */
export interface JsonPart {
  /** JSON pointer (RFC 6901) into the answer; never empty. */
  readonly pointer: string;
  /** The value as the model wrote it. */
  readonly text: string;
}

/** What comes next: "first" right after an opening bracket, "next" after a member, "end" after the answer. */
type State = "value" | "first" | "key" | "colon" | "next" | "end" | "string" | "word" | "silent";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;
const NONE: readonly JsonPart[] = [];

/**
 * Finds the parts of a JSON answer while it arrives: members and items down to the third level, in the order in which
 * they complete. It reads strict JSON only, and takes what the reader of whole answers would reject for no JSON: then it
 * falls silent for good, since such an answer ends in a restart or an error. Linear in the text however that is cut, and
 * iterative. It keeps the text of the outermost part that is open, and the keys of all objects that are.
 */
export class JsonParts {
  #state: State = "value";
  /** The innermost array or object that is open. */
  #open: Frame | undefined;
  #tape = new Tape();
  /** Begin of the string, number or literal that is being read. */
  #token: Mark | undefined;
  #isKey = false;
  /** Whether the string has escapes, or halves of surrogate pairs, so that only its end shows whether it is one. */
  #isDoubtful = false;
  /** Whether the last delta ended between a backslash and what that escapes. */
  #isEscaped = false;
  #delta = "";
  #at = 0;
  #found: JsonPart[] | undefined;

  /**
   * Reads on.
   * @param delta the next piece of the answer, cut anywhere.
   * @returns the parts that it completes.
   */
  push(delta: string): readonly JsonPart[] {
    let state = this.#state;
    if (state === "silent") return NONE;
    this.#tape.next(delta);
    this.#delta = delta;
    this.#at = 0;
    this.#found = undefined;
    while (this.#at < delta.length && state !== "silent") state = this.#step(state);
    this.#state = state;
    if (state === "silent") this.#letGo();
    return this.#found ?? NONE;
  }

  /** Frees what was kept for parts that will not come. */
  #letGo(): void {
    this.#open = undefined;
    this.#token = undefined;
    this.#tape = new Tape();
  }

  #step(state: State): State {
    if (state === "string") return this.#string();
    if (state === "word") return this.#word();
    const delta = this.#delta;
    let code = delta.charCodeAt(this.#at);
    while (isSpace(code)) {
      this.#at += 1;
      if (this.#at === delta.length) return state;
      code = delta.charCodeAt(this.#at);
    }
    return this.#structure(state, code);
  }

  #structure(state: State, code: number): State {
    if (state === "value") return this.#value(code);
    const frame = this.#open;
    // Without one the answer has ended, and something follows it.
    if (!frame) return "silent";
    if (state === "key") return this.#key(code);
    if (state === "colon") return code === COLON ? this.#pass("value") : "silent";
    if (code === frame.closer) return this.#close(frame);
    if (state === "first") return frame.keys ? this.#key(code) : this.#value(code);
    if (code !== COMMA) return "silent";
    return this.#pass(frame.keys ? "key" : "value");
  }

  #pass(state: State): State {
    this.#at += 1;
    return state;
  }

  #value(code: number): State {
    if (code === OPEN_OBJECT || code === OPEN_LIST) return this.#openFrame(code === OPEN_OBJECT);
    // An answer that is one scalar has no parts.
    if (!this.#open) return "silent";
    if (code === QUOTE) return this.#beginString(false);
    if (!isWordCode(code)) return "silent";
    this.#token = this.#tape.mark(this.#at);
    return "word";
  }

  #openFrame(isObject: boolean): State {
    const frame = new Frame(this.#open, isObject);
    if (frame.level > MAX_LEVELS) return "silent";
    if (frame.pointer) frame.start = this.#tape.mark(this.#at);
    this.#open = frame;
    return this.#pass("first");
  }

  #close({ parent, pointer, start }: Frame): State {
    this.#at += 1;
    if (pointer && start) this.#complete(pointer, this.#tape.take(start, this.#at));
    this.#open = parent;
    if (!parent) return "end";
    parent.count += 1;
    return "next";
  }

  #key(code: number): State {
    return code === QUOTE ? this.#beginString(true) : "silent";
  }

  #beginString(isKey: boolean): State {
    this.#token = this.#tape.mark(this.#at);
    this.#isKey = isKey;
    this.#isDoubtful = false;
    return this.#pass("string");
  }

  #string(): State {
    const delta = this.#delta;
    let at = this.#at + (this.#isEscaped ? 1 : 0);
    this.#isEscaped = false;
    for (; at < delta.length; at += 1) {
      const code = delta.charCodeAt(at);
      // Most letters, told with two comparisons.
      if (code > BACKSLASH && code < 0xd800) continue;
      if (code === QUOTE) return this.#endString(at + 1);
      if (code < 0x20) return "silent";
      if (code === BACKSLASH) {
        this.#isDoubtful = true;
        at += 1;
        this.#isEscaped = at === delta.length;
      } else if (code >= 0xd800 && code <= 0xdfff) this.#isDoubtful = true;
    }
    this.#at = delta.length;
    return "string";
  }

  #endString(end: number): State {
    const text = this.#endToken(end);
    const value = this.#isDoubtful ? decodeString(text) : text.slice(1, -1);
    if (value === undefined) return "silent";
    if (!this.#isKey) return this.#scalar(text);
    return this.#open?.enter(value) ? "colon" : "silent";
  }

  /** A number or a literal: complete when something follows it. */
  #word(): State {
    const delta = this.#delta;
    let at = this.#at;
    while (at < delta.length && isWordCode(delta.charCodeAt(at))) at += 1;
    this.#at = at;
    if (at === delta.length) return "word";
    const word = this.#endToken(at);
    return isScalar(word) ? this.#scalar(word) : "silent";
  }

  #endToken(end: number): string {
    this.#at = end;
    const text = this.#token ? this.#tape.take(this.#token, end) : "";
    this.#token = undefined;
    return text;
  }

  #scalar(text: string): State {
    const pointer = this.#open?.memberPointer();
    if (pointer) this.#complete(pointer, text);
    if (this.#open) this.#open.count += 1;
    return "next";
  }

  #complete(pointer: string, text: string): void {
    this.#found ??= [];
    this.#found.push({ pointer, text });
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
