import type { Outlet } from "./exchange.ts";

/** What happens to a response that is not read. */
export interface ReaderWatchEvents {
  /** What was written was not taken for the whole limit. */
  onStall(): void;
  /** It was not for as long again, so that the response was cut off. */
  onCut(): void;
}

/**
 * Measures how long the bytes that were written last wait until the connection has taken them, which it does as its peer
 * reads. The timer is a real one rather than the clock's, because what it guards is a real socket.
 */
export class ReaderWatch {
  readonly #outlet: Outlet;
  readonly #limitMs: number;
  readonly #events: ReaderWatchEvents;
  #timer: NodeJS.Timeout | undefined;
  #isWaiting = false;
  #hasStalled = false;
  #isOver = false;

  /** @param limitMs in milliseconds, at least 1. */
  constructor(outlet: Outlet, limitMs: number, events: ReaderWatchEvents) {
    this.#outlet = outlet;
    this.#limitMs = limitMs;
    this.#events = events;
    outlet.whenTaken(() => {
      this.#isOver = true;
      clearTimeout(this.#timer);
    });
  }

  /** Bytes were written. */
  wrote(): void {
    // A handler may still answer a caller that is gone; the timer must not come back, nor the connection of others suffer.
    if (this.#isOver) return;
    this.#isWaiting = true;
    this.#hasStalled = false;
    this.#rearm();
  }

  /** The connection has taken them. */
  taken(): void {
    this.#isWaiting = false;
  }

  #rearm(): void {
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#expire(), this.#limitMs);
  }

  #expire(): void {
    if (!this.#isWaiting) return;
    const isQueued = this.#outlet.isQueued();
    if (!isQueued && this.#hasStalled) {
      this.#outlet.cut();
      this.#events.onCut();
      return;
    }
    this.#rearm();
    if (isQueued) return;
    this.#hasStalled = true;
    this.#events.onStall();
  }
}
