import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { ModelTarget } from "../core/model.ts";
import type { ModelState, ModelStates } from "../core/model-state.ts";
import type { ModelGate } from "./model-gates/admission.ts";
import { SharedGate } from "./model-gates/gate.ts";

export type { Admission, ModelGate, Pass } from "./model-gates/admission.ts";

/** What a gate is of. Aliases of the same provider and model share one. */
export type GateTarget = Pick<ModelTarget, "provider" | "providerModel" | "limits" | "synthetic">;

/**
 * The gates of all models, one for each provider id and provider model, so that aliases of the same model share it.
 * There are as many as the configuration has models. State is that of this process and starts anew with it.
 */
export class ModelGates implements ModelStates {
  readonly #ports: { readonly clock: Clock; readonly log: Log };
  readonly #gates = new Map<string, SharedGate>();

  constructor(ports: { readonly clock: Clock; readonly log: Log }) {
    this.#ports = ports;
  }

  /** The gate of a model. Synthetic models have one that lets everything through. */
  of(target: GateTarget): ModelGate {
    return target.synthetic ? openGate : this.#shared(target);
  }

  state(target: GateTarget): ModelState | undefined {
    return target.synthetic ? undefined : this.#shared(target).state;
  }

  #shared(target: GateTarget): SharedGate {
    const key = JSON.stringify([target.provider.id, target.providerModel]);
    let gate = this.#gates.get(key);
    if (gate === undefined) {
      gate = new SharedGate(this.#ports, target);
      this.#gates.set(key, gate);
    }
    return gate;
  }
}

const openGate: ModelGate = {
  async enter({ signal }) {
    signal.throwIfAborted();
    return { kind: "admitted", pass: { alive() {}, end() {} } };
  },
};
