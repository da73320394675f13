import { Unreadable } from "./cursor.ts";
import { isLink, isOddList, openerKind, placeholderEnd, shortListEnd } from "./opener.ts";
import { type ReadValue, readValue } from "./read-value.ts";
import { nextReasoningEnd, reasoningEnd, reasoningTagAt } from "./reasoning.ts";
import type { Repair } from "./repair.ts";
import { hasOtherScalar, isPartOfMore, surroundings } from "./residue.ts";
import { readWhole } from "./whole.ts";

/** Fences whose content is read as a value of its own; each may be read to the end of the text. */
const MAX_FENCES = 64;
/** Lists that turn out to be none only when they are read to the end of the text. */
const MAX_LONG_ODD_LISTS = 8;
/** Values after these are not looked at: an answer of that kind is not one answer. */
const MAX_VALUES = 64;

/** What was found in a text that is not one value as a whole. */
export type Scan =
  /** Values that stand on their own, in order. Not yet compared with any schema. */
  | { readonly kind: "values"; readonly values: readonly ReadValue[]; readonly repairs: ReadonlySet<Repair> }
  /** What cannot be read in one way only. */
  | { readonly kind: "unreadable"; readonly problem: Unreadable }
  /**
   * Everything before the offset was reasoning; what follows is to be read as if it were the whole text. With a problem
   * where what came before could not be read, and is reasoning only because a tag says so.
   */
  | { readonly kind: "restart"; readonly at: number; readonly problem?: Unreadable };

/**
 * Looks for values between words and fences, outside reasoning. Linear: it moves forward only, and the look ahead at
 * each bracket is bounded.
 */
export function scan(text: string): Scan {
  return new Scanner(text).run();
}

const INTERESTING = /[{}[\]]|```|<\/?(?:think|reasoning)|<!\[CDATA\[/gi;
const FENCE = /`{3,}/y;
const FENCE_INFO = /^(?:[^\n]*\n|json\b)/i;

class Scanner {
  readonly #text: string;
  readonly #repairs = new Set<Repair>();
  readonly #values: ReadValue[] = [];
  /** Words before each value; the last piece grows until the next value is found. */
  readonly #gaps: string[] = [""];
  /** Brackets of the prose that are open. */
  readonly #brackets: string[] = [];
  #at = 0;
  #isInFence = false;
  #fencesLeft = MAX_FENCES;
  #longOddListsLeft = MAX_LONG_ODD_LISTS;
  /** A bracket that looked like a list and was none: an answer that is a list is in doubt. */
  #hasOddList = false;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Scan {
    for (let next = this.#find(); next !== undefined; next = this.#find()) {
      this.#pass(next);
      const outcome = this.#step(this.#text.charAt(next));
      if (outcome) return outcome;
    }
    this.#pass(this.#text.length);
    return this.#finish();
  }

  #find(): number | undefined {
    INTERESTING.lastIndex = this.#at;
    return INTERESTING.exec(this.#text)?.index;
  }

  /** Takes the text up to an offset for words around the values. */
  #pass(end: number): void {
    this.#gaps.push((this.#gaps.pop() ?? "") + this.#text.slice(this.#at, end));
    this.#at = end;
  }

  #step(character: string): Scan | undefined {
    if (character === "<") return this.#tag();
    if (character === "`") return this.#fence();
    if (character === "{" || character === "[") return this.#opener(character);
    return this.#closer(character);
  }

  #tag(): Scan | undefined {
    const tag = reasoningTagAt(this.#text, this.#at);
    if (!tag) {
      this.#pass(this.#at + (this.#text.startsWith("<![CDATA[", this.#at) ? 9 : 1));
      return undefined;
    }
    this.#repairs.add("reasoning");
    if (tag.isClosing) return { kind: "restart", at: tag.end };
    const end = reasoningEnd(this.#text, tag);
    if (end === undefined) {
      return { kind: "unreadable", problem: new Unreadable(this.#at, "as many ends of reasoning as beginnings") };
    }
    this.#at = end;
    // A line of its own, so that words before and after the reasoning do not run together.
    this.#gaps.push(`${this.#gaps.pop() ?? ""}\n`);
    return undefined;
  }

  /** Inside a fence a bare string, number or literal is a value too, if it is all that the fence holds. */
  #fence(): Scan | undefined {
    FENCE.lastIndex = this.#at;
    const marks = FENCE.exec(this.#text)?.[0];
    if (!marks) {
      this.#pass(this.#at + 1);
      return undefined;
    }
    const start = this.#at + marks.length;
    this.#repairs.add("code_fence");
    this.#pass(start);
    this.#isInFence = !this.#isInFence;
    if (!this.#isInFence || this.#fencesLeft <= 0) return undefined;
    const end = this.#text.indexOf(marks, start);
    this.#fencesLeft = end < 0 ? 0 : this.#fencesLeft - 1;
    const content = this.#text.slice(start, Math.max(start, end)).replace(FENCE_INFO, "");
    if (!/^\s*[^\s{[]/.test(content)) return undefined;
    const read = readWhole(content);
    if (!read) return undefined;
    this.#at = end;
    return this.#add(read);
  }

  #opener(opener: "{" | "["): Scan | undefined {
    const text = this.#text;
    if (openerKind(text, this.#at) === "prose") {
      const end = placeholderEnd(text, this.#at);
      if (end === undefined) this.#brackets.push(opener === "{" ? "}" : "]");
      this.#pass(end ?? this.#at + 1);
      return undefined;
    }
    const shortEnd = opener === "[" ? shortListEnd(text, this.#at) : undefined;
    if (shortEnd !== undefined && isOddList(text.slice(this.#at, shortEnd))) return this.#oddList(shortEnd);
    try {
      const read = readValue(text, this.#at);
      if (opener === "[" && isLink(text, read.end)) {
        this.#pass(read.end);
        return undefined;
      }
      this.#at = read.end;
      return this.#add(read);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      if (shortEnd === undefined) return this.#unreadable(error);
      // Without a comment that hides the closing bracket, nothing behind it was read.
      const isLong = /[#/]/.test(text.slice(this.#at, shortEnd));
      if (isLong && --this.#longOddListsLeft < 0) return this.#unreadable(error);
      return this.#oddList(shortEnd);
    }
  }

  #oddList(end: number): undefined {
    this.#hasOddList = true;
    this.#pass(end);
  }

  #unreadable(problem: Unreadable): Scan {
    // A tag before the place of the problem was read as part of a string, so it may well be data.
    const reasoning = nextReasoningEnd(this.#text, problem.at);
    return reasoning === undefined ? { kind: "unreadable", problem } : { kind: "restart", at: reasoning, problem };
  }

  #add(read: ReadValue): Scan | undefined {
    if (this.#brackets.length) return this.#refuse("a value that does not stand inside other brackets");
    if (this.#values.length === MAX_VALUES) return this.#refuse(`at most ${MAX_VALUES} values`);
    this.#values.push(read);
    this.#gaps.push("");
    return undefined;
  }

  #closer(closer: string): Scan | undefined {
    if (this.#text.startsWith("]]>", this.#at)) {
      this.#pass(this.#at + 3);
      return undefined;
    }
    if (this.#brackets.at(-1) === closer) {
      this.#brackets.pop();
      this.#pass(this.#at + 1);
      return undefined;
    }
    const isRightAfterValue = this.#values.length > 0 && !(this.#gaps.at(-1) ?? "").trim();
    if (!isRightAfterValue || this.#repairs.has("stray_bracket")) return this.#refuse("a bracket that this one closes");
    this.#repairs.add("stray_bracket");
    this.#at += 1;
    // Whatever comes now must be the end: after "}}" more words could be more members.
    return /^[\s`]*(?:<\/[\w:-]{1,64}>\s*)?$/.test(this.#text.slice(this.#at))
      ? undefined
      : this.#refuse("a bracket that this one closes");
  }

  #refuse(expected: string): Scan {
    const problem = new Unreadable(this.#at, expected);
    const reasoning = nextReasoningEnd(this.#text, this.#at);
    return reasoning === undefined ? { kind: "unreadable", problem } : { kind: "restart", at: reasoning, problem };
  }

  #finish(): Scan {
    if (this.#brackets.length && this.#values.length) return this.#refuse("the closing bracket");
    if (isPartOfMore(this.#gaps, this.#values))
      return this.#refuse("a value that stands alone, not as part of a larger one");
    // Only a fence makes a value of a bare scalar; see #fence.
    if (this.#values.some((read) => hasOtherScalar(this.#gaps, read))) {
      return this.#refuse("one string, number or literal, without another around it");
    }
    if (this.#hasOddList && this.#values.some(({ value }) => Array.isArray(value))) {
      return this.#refuse("one list, not another that is no JSON");
    }
    for (const repair of surroundings(this.#gaps)) this.#repairs.add(repair);
    if (this.#values.length > 1) this.#repairs.add("other_value");
    return { kind: "values", values: this.#values, repairs: this.#repairs };
  }
}
