import { Worker } from "node:worker_threads";
import { type DocumentContent, type ReadDocument, UnreadableDocumentError } from "../../core/documents.ts";
import { unpackDocument } from "./packed-document.ts";
import type { FromWorker, WorkerStart } from "./worker-messages.ts";

/** What one thread may use. */
export interface ThreadLimits {
  /** For one document. */
  readonly timeoutMs: number;
  /** Of its heap; what lies outside of the heap, such as what a PDF unpacks to, may be as much again. */
  readonly memoryMib: number;
}

/** How often the memory outside of the heap is looked at, which no limit of the engine bounds. */
const MEMORY_CHECK_MS = 50;

interface Job {
  readonly resolve: (document: ReadDocument) => void;
  readonly reject: (error: Error) => void;
}

/** A running thread that reads one document at a time. */
export class ReaderThread {
  readonly #worker: Worker;
  readonly #limits: ThreadLimits;
  readonly #ready: Promise<void>;
  readonly #ended: Promise<void>;
  #job: Job | undefined;
  /** Why it ends, where that is known before it has ended. */
  #verdict: Error | undefined;
  #isOver = false;

  constructor(start: WorkerStart, limits: ThreadLimits) {
    this.#limits = limits;
    // Beside this module, in whichever form this module runs: TypeScript as it is, or compiled.
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: start,
      resourceLimits: { maxOldGenerationSizeMb: limits.memoryMib },
    });
    this.#ended = new Promise((resolve) => this.#worker.once("exit", () => resolve()));
    this.#ready = this.#whenReady();
    // Whoever reads hears of it; a thread that nobody waits for may fail in silence.
    this.#ready.catch(() => {});
    this.#worker.on("error", (error: Error & { code?: string }) => {
      this.#verdict ??= error.code === "ERR_WORKER_OUT_OF_MEMORY" ? tooMuchMemory() : crashed(error);
    });
    this.#worker.once("exit", () => this.#onExit());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @throws UnreadableDocumentError, with the thread ended where the document was more than it could stand */
  async read(content: DocumentContent): Promise<ReadDocument> {
    await this.#ready;
    const result = new Promise<ReadDocument>((resolve, reject) => {
      this.#job = { resolve, reject };
    });
    const timer = setTimeout(() => this.#end(tooSlow(this.#limits.timeoutMs)), this.#limits.timeoutMs);
    const memory = setInterval(() => this.#checkMemory(), MEMORY_CHECK_MS);
    this.#worker.ref();
    try {
      if (this.#isOver) this.#onExit();
      else this.#worker.postMessage(content);
      return await result;
    } finally {
      clearTimeout(timer);
      clearInterval(memory);
      this.#job = undefined;
      // An idle thread does not keep a process alive.
      this.#worker.unref();
      // A document's own failure is told before its thread is gone, which must not be given another one.
      if (this.#verdict) await this.#ended;
    }
  }

  async close(): Promise<void> {
    this.#end(new Error("the document reader was closed"));
    await this.#ended;
  }

  #whenReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on("message", (message: FromWorker) => {
        if (message.kind === "ready") resolve();
        else if (message.kind === "read") this.#job?.resolve(unpackDocument(message.document));
        else this.#job?.reject(new UnreadableDocumentError(message.reason, message.message));
      });
      this.#worker.once("exit", () => {
        reject(new Error("the thread that reads documents does not start", { cause: this.#verdict }));
      });
    });
  }

  #checkMemory(): void {
    this.#worker.getHeapStatistics().then(
      ({ external_memory: bytes }) => {
        if (bytes > this.#limits.memoryMib * 1024 * 1024 && this.#job) this.#end(tooMuchMemory());
      },
      // It has just ended.
      () => {},
    );
  }

  #end(verdict: Error): void {
    this.#verdict ??= verdict;
    this.#isOver = true;
    void this.#worker.terminate();
  }

  #onExit(): void {
    this.#isOver = true;
    this.#job?.reject(this.#verdict ?? crashed());
  }
}

function tooSlow(timeoutMs: number): Error {
  return new UnreadableDocumentError("too_large", `the document was not read within ${timeoutMs} ms`);
}

function tooMuchMemory(): Error {
  return new UnreadableDocumentError("too_large", "the document takes too much memory to be read");
}

/** Deep nesting may exhaust the stack. What else ends a thread is a defect of ours that this document has met. */
function crashed(error?: Error): Error {
  if (error instanceof RangeError) return new UnreadableDocumentError("too_large", "the document is nested too deeply");
  return new UnreadableDocumentError("broken", "the document ended the thread that read it");
}
