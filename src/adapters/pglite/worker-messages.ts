/** What the main thread and the thread of the embedded database say to each other. Bytes are moved, not copied. */

/** One open connection at a time; numbers are never used twice. */
export type ToWorker =
  /** Whole messages of the Postgres wire protocol, answered by one `answer`. The first ones of a session are its startup. */
  | { readonly kind: "request"; readonly session: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The connection is gone; what it left open is rolled back. */
  | { readonly kind: "end"; readonly session: number }
  /** Closes the database and ends the thread. */
  | { readonly kind: "close" };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly session: number; readonly bytes: Uint8Array<ArrayBuffer> };

/** What the thread is started with. */
export interface WorkerStart {
  /** The data folder; created if it is missing. */
  readonly dir: string;
}

/** Bytes in a buffer of their own, so that it can be moved to another thread. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}
