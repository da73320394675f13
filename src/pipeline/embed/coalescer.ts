import { after, type CallOff } from "../../core/clock.ts";
import type { EmbeddingTarget } from "../../core/embedding.ts";
import { type BatchPorts, runBatch } from "./batch.ts";
import type { TextWork } from "./work.ts";

/**
 * Gathers the texts that one tenant asks of one model into batches: a full one goes at once, any other when its window
 * is over, and none while as many are under way as the model takes. Holds what calls wait for and nothing else.
 */
export class Coalescer {
  readonly #ports: BatchPorts;
  readonly #coalesceMs: number;
  readonly #target: EmbeddingTarget;
  readonly #onIdle: () => void;
  readonly #pending = new Set<TextWork>();
  #pendingTokens = 0;
  #running = 0;
  /** Whether the window of what is pending is over. */
  #isDue = false;
  #callOff?: CallOff | undefined;

  /** @param options `onIdle` is called when nothing is pending or under way; `coalesceMs` is the window, 0 for none. */
  constructor(
    ports: BatchPorts,
    target: EmbeddingTarget,
    options: { readonly coalesceMs: number; readonly onIdle: () => void },
  ) {
    this.#ports = ports;
    this.#target = target;
    this.#coalesceMs = target.isBuiltIn ? 0 : options.coalesceMs;
    this.#onIdle = options.onIdle;
  }

  add(works: readonly TextWork[]): void {
    for (const work of works) {
      if (!work.isWanted) continue;
      this.#pending.add(work);
      this.#pendingTokens += work.tokens;
      work.onUnwanted = () => this.#drop(work);
    }
    this.#pump();
  }

  #drop(work: TextWork): void {
    if (!this.#pending.delete(work)) return;
    this.#pendingTokens -= work.tokens;
    if (this.#pending.size === 0) this.#pump();
  }

  #pump(): void {
    while (this.#pending.size > 0 && this.#running < this.#target.limits.maxConcurrency) {
      if (!this.#mayGo) {
        this.#callOff ??= after(this.#ports.clock, this.#coalesceMs, () => {
          this.#callOff = undefined;
          this.#isDue = true;
          this.#pump();
        });
        return;
      }
      void this.#run(this.#take());
    }
    if (this.#pending.size > 0) return;
    this.#isDue = false;
    this.#callOff?.();
    this.#callOff = undefined;
    if (this.#running === 0) this.#onIdle();
  }

  get #mayGo(): boolean {
    const { maxBatchTexts, maxBatchTokens } = this.#target;
    const isFull = this.#pending.size >= maxBatchTexts || this.#pendingTokens >= maxBatchTokens;
    return isFull || this.#isDue || this.#coalesceMs <= 0;
  }

  /** As many as fit, the oldest first; at least one. */
  #take(): TextWork[] {
    const { maxBatchTexts, maxBatchTokens } = this.#target;
    const taken: TextWork[] = [];
    let tokens = 0;
    for (const work of this.#pending) {
      const isOver = taken.length >= maxBatchTexts || tokens + work.tokens > maxBatchTokens;
      if (isOver && taken.length > 0) break;
      tokens += work.tokens;
      taken.push(work);
    }
    for (const work of taken) this.#pending.delete(work);
    this.#pendingTokens -= tokens;
    return taken;
  }

  async #run(works: readonly TextWork[]): Promise<void> {
    this.#running += 1;
    try {
      await runBatch(this.#ports, { target: this.#target, works, giveBack: (back) => this.add(back) });
    } finally {
      this.#running -= 1;
      this.#pump();
    }
  }
}
