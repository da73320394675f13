import type { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import type { EmbeddingTarget } from "../../core/embedding.ts";
import type { Failure } from "../../core/failure.ts";
import type { ModelWait } from "../call-model/job.ts";
import type { Asker } from "./asker.ts";

/** A text as somebody asks for it. */
export interface AskedText {
  /** Its cache key; whoever asks for the same key with the same alias may share the work. */
  readonly key: string;
  readonly text: string;
  readonly tenant: string;
  readonly target: EmbeddingTarget;
  /** Absent where its vector is not to be cached. */
  readonly ttlMs?: number;
}

/** A text's vector, and where it is from. */
export interface TextAnswer {
  readonly vector: Float32Array;
  /** Absent where it was made now. */
  readonly cached?: typeof CacheStatus.MEMORY_HIT | typeof CacheStatus.SHARED_HIT;
  readonly servedModel?: string;
}

/** What a text fails with for one of those who asked for it, who calls it by its own name. */
export type FailureFor = (asker: Asker, field: string) => Failure;

/**
 * The work on one text, from the look-up to its vector. Callers in this process who ask for the same one share it; it
 * goes on for as long as one of them waits.
 */
export class TextWork {
  readonly asked: AskedText;
  /** By our own count, at least 1; known before it is sent. */
  tokens = 1;
  /** The wait that it is in, where it is in one. */
  wait?: ModelWait;
  /** Called once, when the last of those who waited has left. */
  onUnwanted: () => void = () => {};
  /** Called once, when it has an answer or has failed. */
  onEnded: () => void = () => {};
  answer?: TextAnswer;
  readonly #askers = new Map<Asker, number>();
  #isEnded = false;

  constructor(asked: AskedText) {
    this.asked = asked;
  }

  get isWanted(): boolean {
    return this.#askers.size > 0;
  }

  /** Those who wait now, the first of whom pays for what is sent next. */
  get askers(): Iterable<Asker> {
    return this.#askers.keys();
  }

  get payer(): Asker | undefined {
    return this.askers[Symbol.iterator]().next().value;
  }

  /** The longest time that one of those who wait has. */
  get remainingMs(): number {
    let longest = 0;
    for (const { job } of this.askers) longest = Math.max(longest, job.deadline.remainingMs());
    return longest;
  }

  /** @param index of the text in what the asker asks. */
  join(asker: Asker, index: number): void {
    this.#askers.set(asker, index);
  }

  leave(asker: Asker): void {
    if (!this.#askers.delete(asker) || this.#isEnded || this.isWanted) return;
    this.#end();
    this.onUnwanted();
  }

  answered(answer: TextAnswer): void {
    if (this.#isEnded) return;
    this.answer = answer;
    this.#end();
    for (const asker of this.#take()) asker.answered(this);
  }

  /** Everybody who waits for it fails. */
  failed(failureFor: FailureFor): void {
    const askers = [...this.#askers];
    for (const [asker, index] of askers) asker.fail(failureFor(asker, asker.fieldOf(index)));
  }

  /** Everybody who waits for it fails with what is no failure of this text. */
  lost(error: unknown): void {
    for (const asker of [...this.#askers.keys()]) asker.leave(error);
  }

  #take(): Asker[] {
    const askers = [...this.#askers.keys()];
    this.#askers.clear();
    return askers;
  }

  #end(): void {
    this.#isEnded = true;
    this.onEnded();
  }
}
