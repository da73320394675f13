/** A number that must be printed as the caller wrote it, such as `1.10` or one of 20 digits. */
export class NumberText {
  readonly value: number;
  readonly #spelling: string;

  constructor(value: number, spelling: string) {
    this.value = value;
    this.#spelling = spelling;
  }

  toString(): string {
    return this.#spelling;
  }
}
