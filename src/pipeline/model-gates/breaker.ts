import type { Clock } from "../../core/clock.ts";
import type { CircuitState } from "../../core/model-state.ts";
import { OutcomeWindow } from "./outcome-window.ts";
import type { Verdict } from "./verdict.ts";

/** This many failures in a row open the circuit. */
const FAILURES_TO_OPEN = 5;
/** How long it stays open the first time; doubles with each probe that fails. */
const OPEN_MS = 1_000;
const MAX_OPEN_MS = 30_000;
/** Upward jitter, so that many processes do not probe together: up to this share longer. */
const OPEN_JITTER = 0.1;
/** When to ask again while another call's probe is under way, and up to as long again. */
const PROBE_POLL_MS = 500;

/** What a request needs so that its outcome is counted where it belongs. */
export interface Ticket {
  /** The period of the circuit in which the request was let through. */
  readonly period: number;
}

/** What is told when the circuit changes. */
export type CircuitChange =
  | { readonly to: "open"; readonly openMs: number; readonly consecutiveFailures: number }
  | { readonly to: "half_open" }
  | { readonly to: "closed" };

type State =
  | { readonly kind: "closed" }
  | { readonly kind: "open"; readonly untilMs: number }
  | { readonly kind: "half_open"; readonly isProbing: boolean };

/**
 * The circuit breaker of one model. Five failures in a row, or half of at least ten outcomes within 30 s, open it; after
 * a while one request at a time probes, and the first sign of life closes it.
 *
 * Outcomes count only in the period in which their request was let through; a period ends when the circuit opens. A
 * failure that comes later belongs to the outage that is known already: it neither extends it, nor fails another
 * request's probe, nor counts against the model once it is back. A late success was let in before the outage, and does
 * not show that new requests are: only a probe closes the circuit.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #onChange: (change: CircuitChange) => void;
  readonly #window: OutcomeWindow;
  #state: State = { kind: "closed" };
  #period = 0;
  #consecutiveFailures = 0;
  /** Openings since an answer last ended well. A probe that begins to answer and breaks off has not undone the last. */
  #openings = 0;

  constructor(clock: Clock, onChange: (change: CircuitChange) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#window = new OutcomeWindow(clock);
  }

  /** Milliseconds after which to ask again where a request may not be sent now, else undefined. Changes nothing. */
  refusedForMs(): number | undefined {
    const state = this.#state;
    if (state.kind === "open") return this.#leftMs(state.untilMs);
    if (state.kind === "closed" || !state.isProbing) return undefined;
    return PROBE_POLL_MS * (1 + this.#clock.random());
  }

  /** Lets a request through that is not refused; it is the probe unless the circuit is closed. */
  enter(): Ticket {
    if (this.#state.kind === "open") this.#onChange({ to: "half_open" });
    if (this.#state.kind !== "closed") this.#state = { kind: "half_open", isProbing: true };
    return { period: this.#period };
  }

  /** The model answers. What the answer is worth is seen at its end. */
  alive(ticket: Ticket): void {
    if (this.#isCurrent(ticket) && this.#state.kind === "half_open") this.#close();
  }

  /** To be called once for each ticket. */
  end(ticket: Ticket, verdict: Verdict): void {
    if (!this.#isCurrent(ticket)) return;
    if (this.#state.kind === "half_open") this.#state = { kind: "half_open", isProbing: false };
    if (verdict === "answered") this.#answered();
    if (verdict === "failed") this.#failed();
  }

  get circuit(): CircuitState {
    // Who comes after the time is over is a probe, although none has come yet.
    return this.#state.kind === "open" && this.probeAfterMs === undefined ? "half_open" : this.#state.kind;
  }

  /** Undefined unless it is open. */
  get probeAfterMs(): number | undefined {
    return this.#state.kind === "open" ? this.#leftMs(this.#state.untilMs) : undefined;
  }

  get consecutiveFailures(): number {
    return this.#consecutiveFailures;
  }

  /** In a half-open circuit only the probe is of the current period. */
  #isCurrent({ period }: Ticket): boolean {
    return period === this.#period;
  }

  #leftMs(untilMs: number): number | undefined {
    const leftMs = untilMs - this.#clock.monotonicMs();
    return leftMs > 0 ? leftMs : undefined;
  }

  #answered(): void {
    if (this.#state.kind === "half_open") this.#close();
    this.#consecutiveFailures = 0;
    this.#openings = 0;
    this.#window.add("answered");
  }

  #failed(): void {
    this.#consecutiveFailures += 1;
    this.#window.add("failed");
    const isProbe = this.#state.kind === "half_open";
    if (isProbe || this.#consecutiveFailures >= FAILURES_TO_OPEN || this.#window.isBad()) this.#open();
  }

  #open(): void {
    const openMs = Math.min(MAX_OPEN_MS, OPEN_MS * 2 ** Math.min(this.#openings, 30));
    const jitteredMs = openMs * (1 + OPEN_JITTER * this.#clock.random());
    this.#openings += 1;
    this.#period += 1;
    this.#state = { kind: "open", untilMs: this.#clock.monotonicMs() + jitteredMs };
    this.#onChange({ to: "open", openMs: jitteredMs, consecutiveFailures: this.#consecutiveFailures });
  }

  #close(): void {
    this.#state = { kind: "closed" };
    this.#consecutiveFailures = 0;
    this.#window.clear();
    this.#onChange({ to: "closed" });
  }
}
