/** What the main thread and the thread of the built-in model say to each other. One slice of texts at a time. */

export interface ToWorker {
  readonly texts: readonly string[];
}

/** A slice's vectors, one after the other; or why there are none. */
export type FromWorker =
  | { readonly kind: "vectors"; readonly numbers: Float32Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly message: string };

/** Numbers in each vector of the model. */
export const DIMENSION = 512;
