import { Worker } from "node:worker_threads";
import { DIMENSION, type FromWorker, type ToWorker } from "./worker-messages.ts";

/** The running thread of the built-in model. */
export class ModelThread {
  readonly #worker: Worker;
  #waiting:
    | { readonly resolve: (vectors: Float32Array[]) => void; readonly reject: (error: Error) => void }
    | undefined;
  #error: Error | undefined;
  #isOver = false;

  constructor() {
    // Beside this module, in whichever form this module runs: TypeScript as it is, or compiled.
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`./worker.${extension}`, import.meta.url));
    // A process with nothing else to do may end.
    this.#worker.unref();
    this.#worker.on("message", (message: FromWorker) => this.#answered(message));
    this.#worker.on("error", (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.once("exit", () => {
      this.#isOver = true;
      this.#waiting?.reject(new Error("the thread of the built-in model has ended", { cause: this.#error }));
      this.#waiting = undefined;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** One slice at a time. @throws Error when the thread ends, or cannot read a text. */
  embed(texts: readonly string[]): Promise<Float32Array[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array[]>();
    if (this.#isOver) {
      reject(new Error("the thread of the built-in model has ended", { cause: this.#error }));
      return promise;
    }
    this.#waiting = { resolve, reject };
    this.#worker.ref();
    this.#worker.postMessage({ texts } satisfies ToWorker);
    return promise;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #answered(message: FromWorker): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#worker.unref();
    if (message.kind === "failed") {
      waiting?.reject(new Error(message.message));
      return;
    }
    const { numbers } = message;
    const count = numbers.length / DIMENSION;
    waiting?.resolve(Array.from({ length: count }, (_, at) => numbers.slice(at * DIMENSION, (at + 1) * DIMENSION)));
  }
}
