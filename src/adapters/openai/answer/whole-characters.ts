/**
 * Joins deltas so that none ends in half a character. Some servers send an emoji as two escaped surrogates in two
 * chunks; the first half is held back until the second arrives.
 */
export class WholeCharacters {
  #held = "";

  /** The text that is whole so far; may be empty. */
  push(text: string): string {
    const joined = this.#held + text;
    const last = joined.charCodeAt(joined.length - 1);
    const isHalf = last >= 0xd800 && last <= 0xdbff;
    this.#held = isHalf ? joined.slice(-1) : "";
    return isHalf ? joined.slice(0, -1) : joined;
  }

  /** True while half a character waits for its other half. */
  get isHolding(): boolean {
    return this.#held !== "";
  }
}
