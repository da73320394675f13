import type { Deadline } from "../core/deadline.ts";

/** The work of a flight: what it sends is kept for those who join late. It must stop when the signal aborts. */
export type FlightWork<Event> = (signal: AbortSignal, deadline: Deadline) => AsyncIterable<Event>;

/** Why a flight's work was stopped: nobody waits for it any more. */
export class NobodyWaitsError extends Error {
  constructor() {
    super("every caller of this work has left");
    this.name = "NobodyWaitsError";
  }
}

/**
 * Identical calls in flight share one piece of work. A caller who joins late gets what was sent and then goes on live;
 * a caller who leaves ends the work only when nobody else waits for it. The number of flights is bounded by the number
 * of calls under way, and what a flight keeps by the number of attempts times the size of an answer.
 */
export class Flights<Event> {
  readonly #open = new Map<string, Flight<Event>>();

  /** The flight under way for this key, if there is one. */
  find(key: string): Flight<Event> | undefined {
    return this.#open.get(key);
  }

  /** Starts a flight. Without a key nobody can join it. */
  start(key: string | undefined, work: FlightWork<Event>): Flight<Event> {
    if (key === undefined) return new Flight(work, () => {});
    const flight = new Flight(work, () => {
      if (this.#open.get(key) === flight) this.#open.delete(key);
    });
    this.#open.set(key, flight);
    return flight;
  }

  /** Flights that can be joined now. */
  get size(): number {
    return this.#open.size;
  }
}

export class Flight<Event> {
  readonly #work: FlightWork<Event>;
  readonly #onClosed: () => void;
  readonly #abort = new AbortController();
  readonly #events: Event[] = [];
  readonly #passengers = new Set<{ readonly deadline: Deadline }>();
  readonly #wakers = new Set<() => void>();
  readonly #ended = Promise.withResolvers<void>();
  #state: "new" | "running" | { readonly error?: unknown } = "new";

  constructor(work: FlightWork<Event>, onClosed: () => void) {
    this.#work = work;
    this.#onClosed = onClosed;
  }

  /**
   * Everything the work sends, from its beginning. Throws what the work throws, or the signal's reason.
   * The work may use the longest deadline of those who wait now.
   */
  async *follow(deadline: Deadline, signal: AbortSignal): AsyncGenerator<Event, void, undefined> {
    const passenger = { deadline };
    this.#passengers.add(passenger);
    if (this.#state === "new") this.#run();
    try {
      for (let next = 0; ; next += 1) {
        while (next >= this.#events.length && this.#state === "running") await this.#change(signal);
        const event = this.#events[next];
        if (event === undefined) break;
        yield event;
      }
      if (typeof this.#state === "object" && this.#state.error !== undefined) throw this.#state.error;
    } finally {
      this.#leave(passenger);
    }
  }

  /** Resolves when the work has ended, however it ended. What was spent on it is known then. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Whether the work goes on for somebody. */
  get isWanted(): boolean {
    return this.#state === "running" && !this.#abort.signal.aborted;
  }

  #leave(passenger: { readonly deadline: Deadline }): void {
    this.#passengers.delete(passenger);
    if (this.#passengers.size > 0 || this.#state !== "running") return;
    // Closed before it is stopped, so that nobody joins work that is being given up.
    this.#onClosed();
    this.#abort.abort(new NobodyWaitsError());
  }

  #run(): void {
    this.#state = "running";
    const deadline: Deadline = {
      remainingMs: () => Math.max(0, ...[...this.#passengers].map((passenger) => passenger.deadline.remainingMs())),
    };
    const pump = async () => {
      for await (const event of this.#work(this.#abort.signal, deadline)) {
        this.#events.push(event);
        this.#wake();
      }
    };
    pump().then(
      () => this.#end({}),
      (error: unknown) => this.#end({ error: error ?? new Error("the work threw nothing") }),
    );
  }

  #end(state: { error?: unknown }): void {
    this.#state = state;
    this.#onClosed();
    this.#wake();
    this.#ended.resolve();
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
    this.#wakers.clear();
  }

  /** Resolves at the next event or at the end; rejects with the signal's reason. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const wake = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#wakers.delete(wake);
        reject(signal.reason);
      };
      this.#wakers.add(wake);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
