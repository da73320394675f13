/** Where something begins on a tape: which delta, and the offset in it. */
export interface Mark {
  readonly delta: number;
  readonly at: number;
}

/**
 * The deltas that hold the beginnings of what is still open. Each is copied only into the texts that it is a part of,
 * so that long values cost no more than their length however finely they are cut.
 */
export class Tape {
  #deltas: string[] = [""];
  #marks = 0;

  /** Goes on to the next delta, and forgets the others where nothing is open. */
  next(delta: string): void {
    if (this.#marks > 0) this.#deltas.push(delta);
    else if (this.#deltas.length === 1) this.#deltas[0] = delta;
    else this.#deltas = [delta];
  }

  /** Keeps the tape from an offset into the present delta on, until the mark is taken. */
  mark(at: number): Mark {
    this.#marks += 1;
    return { delta: this.#deltas.length - 1, at };
  }

  /** The text from a mark to an offset into the present delta. Each mark must be taken once. */
  take(mark: Mark, end: number): string {
    this.#marks -= 1;
    const last = this.#deltas.length - 1;
    const first = this.#deltas[mark.delta] ?? "";
    if (mark.delta === last) return first.slice(mark.at, end);
    let text = first.slice(mark.at);
    for (let index = mark.delta + 1; index < last; index += 1) text += this.#deltas[index];
    return text + (this.#deltas[last] ?? "").slice(0, end);
  }
}
