/** A paragraph, list or the like. All offsets are in UTF-16 code units of the whole text. */
export interface Block {
  readonly start: number;
  readonly end: number;
  /**
   * Says where a block is cut that is too long for one chunk: prose at sentences, a list at its items (then at
   * sentences), lines (code, rows of a table) at their ends. A heading is never left alone at the end of a chunk.
   * Headings and lines are never repeated.
   */
  readonly kind: "heading" | "prose" | "list" | "lines";
  /** Where the items of a list begin, in their order. */
  readonly itemStarts?: readonly number[];
}

/** What stands under one heading, which is its first block, up to the next heading of any level. */
export interface Section {
  /** Outermost first, with its own heading. */
  readonly headingPath: readonly string[];
  readonly blocks: readonly Block[];
}

/** A text with its structure. Blocks are in order and apart; what lies between them is white space or markup. */
export interface Outline {
  readonly title: string;
  readonly text: string;
  readonly sections: readonly Section[];
}
