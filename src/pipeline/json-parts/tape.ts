/** Where something begins on a tape: which delta, counted from the beginning, and the offset in it. */
export interface Mark {
  readonly delta: number;
  readonly at: number;
}

/** So many deltas that are needed no more are kept until they are forgotten together. */
const FORGOTTEN_AT_ONCE = 64;

/**
 * The deltas from the oldest mark on. Each is copied only into the texts that it is a part of, so that long values cost
 * no more than their length however finely they are cut.
 */
export class Tape {
  /** Those that may still be asked for; the last is the present one. */
  #deltas: string[] = [""];
  /** How many came before them. */
  #forgotten = 0;
  /** The marks that are not taken yet, the oldest first. Values are nested, so the newest is taken first. */
  readonly #marks: Mark[] = [];

  /** Goes on to the next delta, and forgets those before the oldest mark. */
  next(delta: string): void {
    this.#deltas.push(delta);
    const present = this.#forgotten + this.#deltas.length - 1;
    const needless = (this.#marks[0]?.delta ?? present) - this.#forgotten;
    if (needless < FORGOTTEN_AT_ONCE && this.#marks.length > 0) return;
    this.#deltas.splice(0, needless);
    this.#forgotten += needless;
  }

  /** Keeps the tape from an offset into the present delta on, until the mark is taken. */
  mark(at: number): Mark {
    const mark = { delta: this.#forgotten + this.#deltas.length - 1, at };
    this.#marks.push(mark);
    return mark;
  }

  /** The text from the newest mark to an offset into the present delta. Each mark must be taken once. */
  take(mark: Mark, end: number): string {
    this.#marks.pop();
    const last = this.#deltas.length - 1;
    const from = mark.delta - this.#forgotten;
    const first = this.#deltas[from] ?? "";
    if (from === last) return first.slice(mark.at, end);
    let text = first.slice(mark.at);
    for (let index = from + 1; index < last; index += 1) text += this.#deltas[index];
    return text + (this.#deltas[last] ?? "").slice(0, end);
  }

  /** Deltas that are held. */
  get length(): number {
    return this.#deltas.length;
  }
}
