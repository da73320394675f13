import type { EmbeddingAnswer, EmbeddingEndpoint } from "../../core/embedding.ts";
import type { Log } from "../../core/log.ts";
import { UpstreamError } from "../../core/model.ts";
import { ModelThread } from "./model-thread.ts";

export { DIMENSION } from "./worker-messages.ts";

/** Texts that go to the thread at once. Between two slices another request has its turn. */
const SLICE_TEXTS = 8;
/** How long its thread is kept without a request. */
const IDLE_MS = 300_000;
/** Longest time between two vectors of a slice of passages is a fraction of it: a thread that is silent for so long hangs. */
const SLICE_TIMEOUT_MS = 60_000;

/** A request on its way, a slice at a time. */
interface Job {
  readonly texts: readonly string[];
  readonly vectors: Float32Array[];
  readonly signal: AbortSignal;
  readonly resolve: (answer: EmbeddingAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The embedding model that ships with Sluice: English, 512 numbers, deterministic. It runs in a thread of its own, which
 * is started at its first use (some 200 MB), ended after five minutes without one, and started anew when it dies. Requests take turns by slices, so that a question does
 * not wait behind a whole folder. `close` ends the thread; requests under way fail then.
 */
export function createLocalEmbeddings({ log }: { readonly log: Log }): EmbeddingEndpoint & { close(): Promise<void> } {
  const jobs: Job[] = [];
  let thread: ModelThread | undefined;
  let isRunning = false;
  let isClosed = false;
  let idle: NodeJS.Timeout | undefined;

  /** Some 200 MB are given back where nobody asks for a while; starting anew takes less than a second. */
  function endWhenIdle(): void {
    idle = setTimeout(() => {
      void thread?.end();
      thread = undefined;
    }, IDLE_MS);
    idle.unref();
  }

  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    clearTimeout(idle);
    for (let job = jobs.shift(); job; job = jobs.shift()) await turn(job);
    isRunning = false;
    endWhenIdle();
  }

  async function turn(job: Job): Promise<void> {
    // Nobody waits for it any more.
    if (job.signal.aborted) return;
    try {
      job.vectors.push(...(await slice(job)));
    } catch (error) {
      job.reject(new UpstreamError({ kind: "unreachable", httpStatus: 0 }, { cause: error }));
      return;
    }
    if (job.vectors.length < job.texts.length) jobs.push(job);
    else job.resolve({ vectors: job.vectors });
  }

  async function slice({ texts, vectors }: Job): Promise<readonly Float32Array[]> {
    if (isClosed) throw new Error("the built-in model is closed");
    if (thread?.isOver) log.warn("local_embeddings_restarting");
    if (!thread || thread.isOver) thread = new ModelThread();
    const running = thread;
    const timer = setTimeout(() => void running.end(), SLICE_TIMEOUT_MS);
    try {
      return await running.embed(texts.slice(vectors.length, vectors.length + SLICE_TEXTS));
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async embed({ texts }, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<EmbeddingAnswer>();
      const leave = () => reject(signal.reason);
      signal.addEventListener("abort", leave, { once: true });
      jobs.push({ texts, vectors: [], signal, resolve, reject });
      void run();
      try {
        return await promise;
      } finally {
        signal.removeEventListener("abort", leave);
      }
    },
    async close() {
      isClosed = true;
      clearTimeout(idle);
      await thread?.end();
    },
  };
}
