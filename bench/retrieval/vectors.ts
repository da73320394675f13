/** Numbers of a vector, as many as the built-in model has. */
export const DIMENSION = 512;

/** Vectors that lie in clusters, as those of texts do; the same for the same seed. */
export class Vectors {
  #state: number;
  readonly #centres: readonly Float32Array[];

  constructor(seed: number, clusters = 200) {
    this.#state = seed;
    this.#centres = Array.from({ length: clusters }, () => this.#unit((_) => this.#random() - 0.5));
  }

  next(): Float32Array {
    const centre = this.#centres[Math.floor(this.#random() * this.#centres.length)];
    return this.#unit((at) => (centre?.[at] ?? 0) + (this.#random() - 0.5) * 0.12);
  }

  #unit(numberAt: (at: number) => number): Float32Array {
    const vector = Float32Array.from({ length: DIMENSION }, (_, at) => numberAt(at));
    const length = Math.hypot(...vector);
    return vector.map((number) => number / length);
  }

  /** mulberry32 */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
