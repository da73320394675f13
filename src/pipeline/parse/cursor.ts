import type { Repair } from "./repair.ts";

/** What had to stand where a text could not be read on. Its message names it, as in "a comma or }". Never leaves this folder. */
export class Unreadable extends Error {
  /** The text ended inside the value. */
  readonly isCut: boolean;
  /** Offset into the text, in UTF-16 units. */
  readonly at: number;
  /** JSON pointer to the member that was being read. */
  path = "";

  constructor(at: number, expected: string, isCut = false) {
    super(expected);
    this.at = at;
    this.isCut = isCut;
  }
}

/** A place in a text, and what was learned on the way there. */
export interface Cursor {
  readonly text: string;
  at: number;
  readonly repairs: Set<Repair>;
}

/** @throws Unreadable at the cursor; the value is cut if the text ends there. */
export function refuse(cursor: Cursor, expected: string): never {
  throw new Unreadable(cursor.at, expected, cursor.at >= cursor.text.length);
}
