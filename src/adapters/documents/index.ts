import { availableParallelism } from "node:os";
import {
  type ChunkOptions,
  type DocumentContent,
  type DocumentReader,
  type ReadDocument,
  UnreadableDocumentError,
} from "../../core/documents.ts";
import type { Log } from "../../core/log.ts";
import { MAX_INPUT_SIZE } from "./limits.ts";
import { ReaderThread, type ThreadLimits } from "./reader-thread.ts";

export interface DocumentReaderOptions {
  readonly log: Log;
  /** Default: 320 tokens of which 48 are repeated. */
  readonly chunking?: Partial<ChunkOptions>;
  /** How many documents are read at once. Default: 2, or 1 where there is one processor. */
  readonly maxWorkers?: number;
  /** For one document. Default 20,000. */
  readonly timeoutMs?: number;
  /** Of one thread's heap. Default 512. */
  readonly memoryMib?: number;
}

interface Job {
  readonly content: DocumentContent;
  readonly resolve: (document: ReadDocument) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads and cuts documents in threads of their own, which are started at first use and anew when a document ends one.
 * Documents wait in the order in which they came.
 *
 * @throws RangeError when an option makes no sense
 */
export function createDocumentReader(options: DocumentReaderOptions): DocumentReader & { close(): Promise<void> } {
  return new ThreadedReader(options);
}

class ThreadedReader implements DocumentReader {
  readonly #log: Log;
  readonly #chunking: ChunkOptions;
  readonly #maxWorkers: number;
  readonly #limits: ThreadLimits;
  readonly #waiting = new Set<Job>();
  readonly #running = new Set<Job>();
  readonly #idle: ReaderThread[] = [];
  readonly #threads = new Set<ReaderThread>();
  #isClosed = false;

  constructor({ log, chunking, maxWorkers, timeoutMs = 20_000, memoryMib = 512 }: DocumentReaderOptions) {
    this.#log = log;
    this.#chunking = { maxTokens: 320, overlapTokens: 48, ...chunking };
    this.#maxWorkers = maxWorkers ?? Math.min(2, availableParallelism());
    this.#limits = { timeoutMs, memoryMib };
    atLeast("maxWorkers", this.#maxWorkers, 1);
    atLeast("maxTokens", this.#chunking.maxTokens, 8);
    atLeast("overlapTokens", this.#chunking.overlapTokens, 0);
    if (this.#chunking.overlapTokens > this.#chunking.maxTokens / 2)
      throw new RangeError("overlapTokens must be at most half of maxTokens");
  }

  async read(content: DocumentContent, signal: AbortSignal): Promise<ReadDocument> {
    signal.throwIfAborted();
    const size = content.kind === "pdf" ? content.bytes.byteLength : content.text.length;
    if (size > MAX_INPUT_SIZE)
      throw new UnreadableDocumentError("too_large", `the document has more than ${MAX_INPUT_SIZE} bytes`);
    if (this.#isClosed) throw closedError();
    let leave = () => {};
    try {
      return await new Promise<ReadDocument>((resolve, reject) => {
        const job = { content, resolve, reject };
        // A thread that has begun goes on until it is done or out of time; only the waiting ends.
        leave = () => {
          this.#waiting.delete(job);
          reject(signal.reason);
        };
        signal.addEventListener("abort", leave, { once: true });
        this.#waiting.add(job);
        this.#startNext();
      });
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of [...this.#waiting, ...this.#running]) job.reject(closedError());
    this.#waiting.clear();
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #startNext(): void {
    const [job] = this.#waiting;
    if (!job || this.#running.size >= this.#maxWorkers || this.#isClosed) return;
    this.#waiting.delete(job);
    this.#running.add(job);
    void this.#run(job);
  }

  async #run(job: Job): Promise<void> {
    let thread = this.#idle.pop();
    while (thread?.isOver) thread = this.#idle.pop();
    thread ??= this.#newThread();
    try {
      job.resolve(await thread.read(job.content));
    } catch (error) {
      job.reject(error);
    }
    if (thread.isOver) {
      this.#threads.delete(thread);
      if (!this.#isClosed) this.#log.warn("document_reader_restarted", { kind: job.content.kind });
    } else {
      this.#idle.push(thread);
    }
    this.#running.delete(job);
    this.#startNext();
  }

  #newThread(): ReaderThread {
    const thread = new ReaderThread({ chunking: this.#chunking }, this.#limits);
    this.#threads.add(thread);
    return thread;
  }
}

function atLeast(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new RangeError(`${name} must be a whole number of at least ${least}`);
}

function closedError(): Error {
  return new Error("the document reader is closed");
}
