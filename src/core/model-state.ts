import type { ModelTarget } from "./model.ts";

/** `half_open`: one call at a time finds out whether the model answers again. */
export type CircuitState = "closed" | "open" | "half_open";

/** What this process knows of a provider's model from the calls it made. Aliases of the same model share it. */
export interface ModelState {
  readonly circuit: CircuitState;
  /** Until the next probe. Absent unless the circuit is open. */
  readonly probeAfterMs?: number;
  /** What is left of the wait that the provider asked for. Absent where it asks for none. */
  readonly coolDownMs?: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  /** Failures in a row that count against it. */
  readonly consecutiveFailures: number;
}

/** Where the state of models is seen. */
export interface ModelStates {
  /** Undefined for synthetic models, which have none. */
  state(target: Pick<ModelTarget, "provider" | "providerModel" | "limits" | "synthetic">): ModelState | undefined;
}
