import type { Deadline } from "../core/deadline.ts";

/** The work of a flight: what it sends is kept for those who join late. It must stop when the signal aborts. */
export type FlightWork<Event> = (signal: AbortSignal, deadlines: FlightDeadlines) => AsyncIterable<Event>;

/** Those of the callers who wait now. */
export interface FlightDeadlines {
  /** The work may go on so long. */
  readonly longest: Deadline;
  /** Within this, all of them can still be served. */
  readonly shortest: Deadline;
}

/** Why a flight's work was stopped: nobody waits for it any more. */
export class NobodyWaitsError extends Error {
  constructor() {
    super("every caller of this work has left");
    this.name = "NobodyWaitsError";
  }
}

/** How far work may go ahead of its callers. */
export interface FlightRoom<Event> {
  /** The size of an event, at least 0, in the unit of `maxUnread`. */
  sizeOf(event: Event): number;
  /** Work that has sent more than this beyond the furthest of its callers waits for one of them. */
  readonly maxUnread: number;
}

/**
 * Identical calls in flight share one piece of work. A caller who joins late gets what was sent and then goes on live;
 * a caller who leaves ends the work only when nobody else waits for it. The work goes as fast as the fastest caller
 * reads, give or take the room; slower ones do not hold it back. The number of flights is bounded by the number of calls
 * under way, and what a flight keeps by the number of attempts times the size of an answer.
 */
export class Flights<Event> {
  readonly #open = new Map<string, Flight<Event>>();
  readonly #room: FlightRoom<Event>;

  /** @param room default: a thousand events, whatever their size. */
  constructor(room: FlightRoom<Event> = { sizeOf: () => 1, maxUnread: 1000 }) {
    this.#room = room;
  }

  /** The flight under way for this key, if there is one. */
  find(key: string): Flight<Event> | undefined {
    return this.#open.get(key);
  }

  /** Starts a flight. Without a key nobody can join it. */
  start(key: string | undefined, work: FlightWork<Event>): Flight<Event> {
    if (key === undefined) return new Flight(work, this.#room, () => {});
    const flight = new Flight(work, this.#room, () => {
      if (this.#open.get(key) === flight) this.#open.delete(key);
    });
    this.#open.set(key, flight);
    return flight;
  }

  /** Those under way go on, but nobody can join them any more. */
  closeAll(): void {
    this.#open.clear();
  }

  /** Flights that can be joined now. */
  get size(): number {
    return this.#open.size;
  }
}

export class Flight<Event> {
  readonly #work: FlightWork<Event>;
  readonly #room: FlightRoom<Event>;
  readonly #onClosed: () => void;
  readonly #abort = new AbortController();
  /** What was sent, each event with the size of all until its end. */
  readonly #sent: { readonly event: Event; readonly end: number }[] = [];
  /** The size of what the furthest caller has taken. */
  #taken = 0;
  readonly #passengers = new Set<{ readonly deadline: Deadline }>();
  readonly #wakers = new Set<() => void>();
  readonly #ended = Promise.withResolvers<void>();
  /** Lets the work go on that waits for room. */
  #goOn: (() => void) | undefined;
  #lostError: unknown;
  #state: "new" | "running" | { readonly error?: unknown } = "new";

  constructor(work: FlightWork<Event>, room: FlightRoom<Event>, onClosed: () => void) {
    this.#work = work;
    this.#room = room;
    this.#onClosed = onClosed;
  }

  /**
   * Everything the work sends, from its beginning. Throws what the work throws, or the signal's reason.
   * The work may use the longest deadline of those who wait now. A caller that is not asking for the next event when
   * its signal aborts has left all the same.
   */
  async *follow(deadline: Deadline, signal: AbortSignal): AsyncGenerator<Event, void, undefined> {
    const passenger = { deadline };
    const leave = () => this.#leave(passenger);
    this.#passengers.add(passenger);
    signal.addEventListener("abort", leave, { once: true });
    if (this.#state === "new") this.#run();
    try {
      for (let next = 0; ; next += 1) {
        while (next >= this.#sent.length && this.#state === "running") await this.#change(signal);
        const sent = this.#sent[next];
        if (sent === undefined) break;
        yield sent.event;
        // Asking for the next event says that this one was taken.
        this.#taken = Math.max(this.#taken, sent.end);
        if (this.#hasRoom) this.#goOn?.();
      }
      if (typeof this.#state === "object" && this.#state.error !== undefined) throw this.#state.error;
    } finally {
      signal.removeEventListener("abort", leave);
      leave();
    }
  }

  /** Resolves when the work has ended, however it ended. What was spent on it is known then. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** What the work failed with when nobody was left to be told; undefined where somebody was, or where it was only stopped. */
  get lostError(): unknown {
    return this.#lostError;
  }

  /** Whether the work goes on for somebody. */
  get isWanted(): boolean {
    return this.#state === "running" && !this.#abort.signal.aborted;
  }

  #leave(passenger: { readonly deadline: Deadline }): void {
    if (!this.#passengers.delete(passenger)) return;
    if (this.#passengers.size > 0 || this.#state !== "running") return;
    // Closed before it is stopped, so that nobody joins work that is being given up.
    this.#onClosed();
    this.#abort.abort(new NobodyWaitsError());
    this.#goOn?.();
  }

  #run(): void {
    this.#state = "running";
    const left = () => [...this.#passengers].map(({ deadline }) => deadline.remainingMs());
    const deadlines: FlightDeadlines = {
      longest: { remainingMs: () => Math.max(0, ...left()) },
      shortest: { remainingMs: () => (this.#passengers.size > 0 ? Math.min(...left()) : 0) },
    };
    const pump = async () => {
      for await (const event of this.#work(this.#abort.signal, deadlines)) {
        this.#sent.push({ event, end: this.#end + this.#room.sizeOf(event) });
        this.#wake();
        if (!this.#hasRoom) await this.#waitForRoom();
      }
    };
    pump().then(
      () => this.#finish({}),
      (error: unknown) => this.#finish({ error: error ?? new Error("the work threw nothing") }),
    );
  }

  get #end(): number {
    return this.#sent.at(-1)?.end ?? 0;
  }

  get #hasRoom(): boolean {
    return this.#end - this.#taken <= this.#room.maxUnread;
  }

  /** Resolves when a caller has caught up. Throws when the last has left, which ends the work where it is. */
  async #waitForRoom(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#goOn = resolve;
    if (!this.#abort.signal.aborted) await promise;
    this.#goOn = undefined;
    this.#abort.signal.throwIfAborted();
  }

  #finish(state: { error?: unknown }): void {
    this.#state = state;
    const isStopped = state.error === this.#abort.signal.reason;
    if (this.#passengers.size === 0 && !isStopped) this.#lostError = state.error;
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
