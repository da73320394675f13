import { Worker } from "node:worker_threads";
import { type FromWorker, ownBytes, type ToWorker, type WorkerStart } from "./worker-messages.ts";

/** One connection to the thread. */
export interface WorkerSession {
  /** Sends whole messages; `onAnswer` gets what the database says to them. One at a time. */
  request(bytes: Uint8Array, onAnswer: (answer: Buffer) => void): void;
  /** Called when the thread has ended without being asked. */
  onGone: (error: Error) => void;
  end(): void;
}

interface OpenSession extends WorkerSession {
  onAnswer: ((answer: Buffer) => void) | undefined;
}

/** The running thread of the embedded database. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #sessions = new Map<number, OpenSession>();
  #lastSession = 0;
  #error: Error | undefined;
  #isOver = false;

  private constructor(start: WorkerStart) {
    // Beside this module, in whichever form this module runs: TypeScript as it is, or compiled.
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), { workerData: start });
    this.#worker.on("error", (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#ended = new Promise((resolve) => this.#worker.once("exit", () => resolve()));
    this.#worker.once("exit", () => this.#onExit());
  }

  /** Starts the thread; resolves when the database is open. @throws Error whose cause says why it is not. */
  static async start(start: WorkerStart, signal: AbortSignal): Promise<WorkerThread> {
    signal.throwIfAborted();
    const thread = new WorkerThread(start);
    const stop = () => void thread.#worker.terminate();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await thread.#ready();
      return thread;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Opens a connection. The database has one session: a second connection ends the first. */
  openSession(): WorkerSession {
    this.#lastSession += 1;
    const id = this.#lastSession;
    const session: OpenSession = {
      onAnswer: undefined,
      onGone: () => {},
      request: (bytes, onAnswer) => {
        session.onAnswer = onAnswer;
        const own = ownBytes(bytes);
        this.#say({ kind: "request", session: id, bytes: own }, [own.buffer]);
      },
      end: () => {
        if (this.#sessions.delete(id)) this.#say({ kind: "end", session: id });
      },
    };
    this.#sessions.set(id, session);
    return session;
  }

  /** Closes the database after the request under way, and ends the thread. */
  async close(): Promise<void> {
    if (!this.#isOver) this.#say({ kind: "close" });
    await this.#ended;
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on("message", (message: FromWorker) => {
        if (message.kind === "ready") resolve();
        else this.#sessions.get(message.session)?.onAnswer?.(Buffer.from(message.bytes.buffer));
      });
      this.#worker.once("exit", () => reject(this.#endError()));
    });
  }

  #onExit(): void {
    this.#isOver = true;
    for (const session of this.#sessions.values()) session.onGone(this.#endError());
    this.#sessions.clear();
  }

  #endError(): Error {
    return new Error("the embedded database has ended", { cause: this.#error });
  }

  #say(message: ToWorker, moved: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, moved);
  }
}
