import { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import type { Deadline } from "../../core/deadline.ts";
import type { EmbeddingTarget } from "../../core/embedding.ts";
import type { TokenCounter } from "../../core/tokens.ts";
import { type BatchPorts, overflowFailure } from "./batch.ts";
import { Coalescer } from "./coalescer.ts";
import { type AskedText, TextWork } from "./work.ts";

export interface EmbedBatchesPorts extends BatchPorts {
  readonly counter: TokenCounter;
  /** How long a text waits for others to share its request, in milliseconds. 0: not at all. Default 2. */
  readonly coalesceMs?: number;
}

const COALESCE_MS = 2;

/** Counting this many characters takes a millisecond or two; other work has its turn in between. */
const COUNTED_AT_ONCE = 65_536;

/**
 * The texts that are being embedded in this process: identical ones share one piece of work, and those that come at the
 * same moment share requests to the provider, never across tenants. One for each process.
 */
export class EmbedBatches {
  readonly #ports: EmbedBatchesPorts;
  readonly #open = new Map<string, TextWork>();
  readonly #coalescers = new Map<string, Coalescer>();

  constructor(ports: EmbedBatchesPorts) {
    this.#ports = ports;
  }

  /** The work under way on a text that may be shared. */
  find(target: EmbeddingTarget, key: string): TextWork | undefined {
    return this.#open.get(workName(target, key));
  }

  /** New work on a text; nobody can join it unless it is shared. It must be given to `begin` in the same moment. */
  claim(asked: AskedText, isShared: boolean): TextWork {
    const work = new TextWork(asked);
    if (!isShared) return work;
    const name = workName(asked.target, asked.key);
    this.#open.set(name, work);
    work.onEnded = () => void this.#open.delete(name);
    return work;
  }

  /**
   * Looks the texts up, where that is wanted, and sends for those that are not cached. Whoever waits for one of them is
   * told of it; nobody waits for this itself.
   */
  begin(works: readonly TextWork[], look: { readonly deadline: Deadline } | undefined): void {
    this.#begin(works, look).catch((error: unknown) => {
      for (const work of works) work.lost(error);
    });
  }

  async #begin(works: readonly TextWork[], look: { readonly deadline: Deadline } | undefined): Promise<void> {
    const missing = look ? await this.#withoutCached(works, look) : works;
    await this.#count(missing);
    const isOver = ({ tokens, asked }: TextWork) => tokens > asked.target.maxInputTokens;
    for (const work of missing.filter(isOver)) {
      const { tokens, asked } = work;
      work.failed((_, field) => overflowFailure(asked.target, { tokens, field, reportedByProvider: false }));
    }
    for (const [name, own] of Map.groupBy(missing, ({ asked }) => JSON.stringify([asked.tenant, asked.target.alias]))) {
      const wanted = own.filter(({ isWanted }) => isWanted);
      const target = wanted[0]?.asked.target;
      if (target) this.#coalescer(name, target).add(wanted);
    }
  }

  async #withoutCached(
    works: readonly TextWork[],
    look: { readonly deadline: Deadline },
  ): Promise<readonly TextWork[]> {
    const keys = works.map(({ asked }) => asked.key);
    const found = await this.#ports.vectors.get(keys, look);
    return works.filter((work, index) => {
      const cached = found[index];
      // What was stored by a model of another dimension under the same name is no answer, whatever its key says.
      if (cached?.vector.length !== work.asked.target.dimension) return true;
      work.answered({
        vector: cached.vector,
        cached: cached.layer === "memory" ? CacheStatus.MEMORY_HIT : CacheStatus.SHARED_HIT,
      });
      return false;
    });
  }

  async #count(works: readonly TextWork[]): Promise<void> {
    let characters = 0;
    for (const work of works) {
      const { text, target } = work.asked;
      work.tokens = Math.max(1, Math.ceil(this.#ports.counter.count(text, target.family)));
      characters += text.length;
      if (characters < COUNTED_AT_ONCE) continue;
      characters = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #coalescer(name: string, target: EmbeddingTarget): Coalescer {
    const known = this.#coalescers.get(name);
    if (known) return known;
    const { coalesceMs = COALESCE_MS } = this.#ports;
    const onIdle = () => void this.#coalescers.delete(name);
    const coalescer = new Coalescer(this.#ports, target, { coalesceMs, onIdle });
    this.#coalescers.set(name, coalescer);
    return coalescer;
  }

  /** Texts that can be joined, and groups that hold any, for tests of what is left behind. */
  get size(): number {
    return this.#open.size + this.#coalescers.size;
  }
}

/** Aliases of the same model share vectors, and no failures: each has limits of its own. */
function workName({ alias }: EmbeddingTarget, key: string): string {
  return `${alias} ${key}`;
}
