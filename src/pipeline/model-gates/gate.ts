import type { Clock } from "../../core/clock.ts";
import type { Deadline } from "../../core/deadline.ts";
import type { Log, LogFields } from "../../core/log.ts";
import type { ModelTarget, UpstreamErrorFields } from "../../core/model.ts";
import type { ModelState } from "../../core/model-state.ts";
import type { Admission, ModelGate, Pass } from "./admission.ts";
import { Breaker, type CircuitChange } from "./breaker.ts";
import { CoolDown } from "./cool-down.ts";
import { type Slot, Slots } from "./slots.ts";
import { verdictOf } from "./verdict.ts";

/** When to come back to a full queue: as soon as a turn is likely, within these bounds; the first where nothing is known. */
const MIN_RETRY_AFTER_MS = 1_000;
const MAX_RETRY_AFTER_MS = 60_000;

/** The gate of one provider's model: circuit, cool-down and slots, asked in this order. */
export class SharedGate implements ModelGate {
  readonly #log: Log;
  readonly #fields: LogFields;
  readonly #limits: ModelTarget["limits"];
  readonly #breaker: Breaker;
  readonly #coolDown: CoolDown;
  readonly #slots: Slots;

  constructor(
    ports: { readonly clock: Clock; readonly log: Log },
    target: Pick<ModelTarget, "provider" | "providerModel" | "limits">,
  ) {
    this.#log = ports.log;
    this.#fields = { provider: target.provider.id, provider_model: target.providerModel };
    this.#limits = target.limits;
    this.#breaker = new Breaker(ports.clock, (change) => this.#circuitChanged(change));
    this.#coolDown = new CoolDown(ports.clock);
    this.#slots = new Slots(ports.clock, target.limits);
  }

  async enter({ deadline, signal }: { deadline: Deadline; signal: AbortSignal }): Promise<Admission> {
    signal.throwIfAborted();
    const refusal = this.#refusal();
    if (refusal !== undefined) return refusal;
    const free = this.#slots.take();
    if (free !== undefined) return this.#admit(free);
    if (!this.#slots.hasRoom(deadline.remainingMs())) return this.#queueFull();
    const slot = await this.#slots.wait(signal);
    // Circuit, cool-down, clock and caller have all moved on since the queue was joined.
    const isLate = signal.aborted || deadline.remainingMs() <= 0;
    const lateRefusal = isLate ? this.#queueFull() : this.#refusal();
    if (lateRefusal === undefined) return this.#admit(slot);
    // The next in the queue looks for itself: where the model is not to be asked, all of them are gone at once.
    slot.passOn();
    signal.throwIfAborted();
    return lateRefusal;
  }

  get state(): ModelState {
    return {
      circuit: this.#breaker.circuit,
      probeAfterMs: this.#breaker.probeAfterMs,
      coolDownMs: this.#coolDown.leftMs(),
      inFlight: this.#slots.inFlight,
      queued: this.#slots.queued,
      ...this.#limits,
      consecutiveFailures: this.#breaker.consecutiveFailures,
    };
  }

  #refusal(): Admission | undefined {
    const probeAfterMs = this.#breaker.refusedForMs();
    if (probeAfterMs !== undefined) {
      // Where the provider told a wait besides, nobody comes sooner than that.
      const retryAfterMs = Math.ceil(Math.max(probeAfterMs, this.#coolDown.leftMs() ?? 0));
      return { kind: "circuit_open", retryAfterMs };
    }
    const cooling = this.#coolDown.join();
    return cooling && { kind: "cooling", ...cooling };
  }

  #queueFull(): Admission {
    const turnAfterMs = this.#slots.turnAfterMs() ?? 0;
    const retryAfterMs = Math.ceil(Math.min(Math.max(turnAfterMs, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS));
    return { kind: "queue_full", limit: this.#limits.maxQueue, retryAfterMs };
  }

  #admit(slot: Slot): Admission {
    const ticket = this.#breaker.enter();
    let isAlive = false;
    let isEnded = false;
    const pass: Pass = {
      alive: () => {
        if (isEnded || isAlive) return;
        isAlive = true;
        this.#breaker.alive(ticket);
      },
      end: (outcome) => {
        if (isEnded) return;
        isEnded = true;
        // First what was learned, then the slot: who gets it next must know.
        if (typeof outcome === "object") this.#learn(outcome);
        this.#breaker.end(ticket, verdictOf(outcome, isAlive));
        // Who gave up, or never sent, says nothing about how long requests take.
        if (outcome === "abandoned") slot.passOn();
        else slot.free();
      },
    };
    return { kind: "admitted", pass };
  }

  #learn(error: UpstreamErrorFields): void {
    if (!this.#coolDown.learn(error)) return;
    const { kind, httpStatus, waitMs } = error;
    this.#log.info("cool_down_started", { ...this.#fields, wait_ms: waitMs, kind, http_status: httpStatus });
  }

  #circuitChanged(change: CircuitChange): void {
    if (change.to !== "open") {
      this.#log.info(`circuit_${change.to}`, this.#fields);
      return;
    }
    const { openMs, consecutiveFailures } = change;
    const fields = { open_ms: Math.round(openMs), consecutive_failures: consecutiveFailures };
    this.#log.warn("circuit_opened", { ...this.#fields, ...fields });
  }
}
