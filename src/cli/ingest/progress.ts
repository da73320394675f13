import type { Clock } from "../../core/clock.ts";
import type { Output } from "../terminal.ts";
import { grouped, moneyText } from "../usage-money.ts";
import type { Tally } from "./tally.ts";

const TERMINAL_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 5_000;
/** Before that the rate says nothing. */
const FIRST_ESTIMATE_MS = 1_000;

/** How much there is to do. */
export interface Total {
  readonly files: number;
  readonly bytes: number;
}

/** Shows how far an ingest is: one line that changes on a terminal, a new line every few seconds elsewhere. */
export class Progress {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #total: Total;
  readonly #startedMs: number;
  #shownMs: number;
  #isOpen = false;

  constructor(output: Output, clock: Clock, total: Total) {
    this.#output = output;
    this.#clock = clock;
    this.#total = total;
    this.#startedMs = clock.monotonicMs();
    this.#shownMs = this.#startedMs;
  }

  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /** Something was done. Shown at most so often. */
  update(tally: Tally): void {
    const isTerminal = this.#output.isTTY === true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#shownMs < (isTerminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
    this.#shownMs = nowMs;
    const line = progressText(tally, this.#total, this.elapsedMs);
    // To the first column, and what is longer is cleared.
    this.#output.write(isTerminal ? `\r${line}\u001b[K` : `${line}\n`);
    this.#isOpen = isTerminal;
  }

  /** Clears the line that changes: what follows takes its place. */
  end(): void {
    if (this.#isOpen) this.#output.write("\r\u001b[K");
    this.#isOpen = false;
  }
}

/** `12 of 40 documents · 310 chunks · 81,204 tokens · $0.00162 · 4.1 documents/s · 7 s left`. */
export function progressText(tally: Tally, total: Total, elapsedMs: number): string {
  const { doneFiles, doneBytes, chunks, tokens, costNanoUsd } = tally;
  const parts = [
    `${grouped(BigInt(doneFiles))} of ${grouped(BigInt(total.files))} documents`,
    `${grouped(BigInt(chunks))} chunks`,
    `${grouped(tokens)} tokens`,
    costNanoUsd === undefined ? "cost unknown" : moneyText(costNanoUsd),
  ];
  if (doneFiles === 0 || elapsedMs < FIRST_ESTIMATE_MS) return parts.join(" · ");
  const rate = (doneFiles * 1000) / elapsedMs;
  // Documents differ in length; where all of them are empty their number must do.
  const share = total.bytes > 0 ? doneBytes / total.bytes : doneFiles / total.files;
  const left = share > 0 ? [`${timeLeft((elapsedMs * (1 - share)) / share)} left`] : [];
  return [...parts, `${rate.toFixed(1)} documents/s`, ...left].join(" · ");
}

function timeLeft(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
