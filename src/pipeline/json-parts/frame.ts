import type { Mark } from "./tape.ts";

/** Members deeper than this come with the value that holds them. */
const MAX_PART_LEVEL = 3;
/**
 * Each part names its place in full, so a long key would be sent again with all that is under it. What has a longer
 * pointer comes with the value that holds it.
 */
const MAX_POINTER_CHARACTERS = 512;

const CLOSE_LIST = 0x5d;
const CLOSE_OBJECT = 0x7d;

/** An array or object that is open. */
export class Frame {
  readonly parent: Frame | undefined;
  /** 1 for the answer itself. */
  readonly level: number;
  /** Code of the character that closes it. */
  readonly closer: number;
  /** Where it is in the answer: empty for the answer itself, undefined where it is too deep to be a part. */
  readonly pointer: string | undefined;
  /** Keys so far, the present one included; undefined for an array. */
  readonly keys: Set<string> | undefined;
  /** Where its text begins, if it will be a part. */
  start: Mark | undefined;
  /** Members that are complete. */
  count = 0;
  #key = "";

  constructor(parent: Frame | undefined, isObject: boolean) {
    this.parent = parent;
    this.level = parent ? parent.level + 1 : 1;
    this.closer = isObject ? CLOSE_OBJECT : CLOSE_LIST;
    this.pointer = parent ? parent.memberPointer() : "";
    this.keys = isObject ? new Set() : undefined;
  }

  /** Goes to the member with a key; false for keys that no answer may have: `__proto__`, and one that stands twice. */
  enter(key: string): boolean {
    if (!this.keys || this.keys.has(key) || key === "__proto__") return false;
    this.keys.add(key);
    this.#key = key;
    return true;
  }

  /** JSON pointer of the present member; undefined where it is no part of its own. */
  memberPointer(): string | undefined {
    if (this.pointer === undefined || this.level > MAX_PART_LEVEL) return undefined;
    if (this.#key.length > MAX_POINTER_CHARACTERS) return undefined;
    const pointer = `${this.pointer}/${this.keys ? escaped(this.#key) : this.count}`;
    return pointer.length > MAX_POINTER_CHARACTERS ? undefined : pointer;
  }
}

function escaped(key: string): string {
  return key.includes("~") || key.includes("/") ? key.replaceAll("~", "~0").replaceAll("/", "~1") : key;
}
