import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { SluiceError } from "../../core/failure.ts";
import type { ModelCatalog, ModelTarget } from "../../core/model.ts";
import { type FitLimits, type FitPorts, type FittedPrompt, fitToModel } from "../build-context/fit.ts";
import { type BuiltContext, takesTexts } from "../build-context.ts";
import type { RefusedModes } from "./refused-modes.ts";

export interface ChainPorts extends FitPorts {
  readonly models: ModelCatalog;
  readonly refusedModes: RefusedModes;
}

/** A model that can be asked, with the prompt as it gets it. */
export interface Link {
  readonly target: ModelTarget;
  readonly fitted: FittedPrompt;
}

/** The models that may answer a call: the one that was asked for or its escalation, and the fallbacks behind it. */
export class Chain {
  readonly #ports: ChainPorts;
  readonly #context: BuiltContext;
  readonly #asked = new Set<string>();
  #targets: readonly ModelTarget[];
  #position = 0;
  #isFallbackBehind = false;

  constructor(ports: ChainPorts, context: BuiltContext) {
    this.#ports = ports;
    this.#context = context;
    this.#targets = this.#from(context.target);
  }

  /** Whether no fallback has taken over, neither from the model that was asked for nor from its escalation. */
  get isAtHead(): boolean {
    return this.#position === 0 && !this.#isFallbackBehind;
  }

  get isEscalated(): boolean {
    return this.#asked.size > 1;
  }

  /** The next model that suits and that the prompt fits. Nothing changes until it is taken. */
  next(suits: (target: ModelTarget) => boolean = () => true): (Link & { take(): AttemptCause }) | undefined {
    for (let position = this.#position + 1; position < this.#targets.length; position += 1) {
      const target = this.#targets[position];
      const fitted = target && suits(target) ? this.fit(target, {}) : undefined;
      if (!target || !fitted) continue;
      const take = () => {
        this.#position = position;
        return AttemptCause.FALLBACK;
      };
      return { target, fitted, take };
    }
    return undefined;
  }

  /** The stronger model for bad answers, unless it gave some of them itself. Nothing changes until it is taken. */
  escalation(from: ModelTarget): (Link & { take(): AttemptCause }) | undefined {
    const alias = from.escalateTo ?? (this.isEscalated ? undefined : this.#context.target.escalateTo);
    if (alias === undefined || alias === from.alias || this.#asked.has(alias)) return undefined;
    const target = this.#ports.models.resolve(alias);
    const fitted = takesTexts(target, this.#context.draft) ? this.fit(target, {}) : undefined;
    if (!fitted) return undefined;
    const take = () => {
      // What a fallback gave up on was not asked of the model that the caller named.
      this.#isFallbackBehind ||= this.#position > 0;
      this.#targets = this.#from(target);
      this.#position = 0;
      return AttemptCause.ESCALATION;
    };
    return { target, fitted, take };
  }

  /** Undefined where the prompt cannot be made to fit. */
  fit(target: ModelTarget, limits: FitLimits): FittedPrompt | undefined {
    const { output } = this.#context.draft;
    const isRefused = output.kind === "json" && this.#ports.refusedModes.has(target, output.schema.text);
    try {
      return fitToModel(
        this.#ports,
        this.#context.draft,
        target,
        isRefused ? { ...limits, withoutJsonMode: true } : limits,
      );
    } catch (error) {
      if (error instanceof SluiceError && error.failure.reason === "CONTEXT_OVERFLOW") return undefined;
      throw error;
    }
  }

  #from(head: ModelTarget): readonly ModelTarget[] {
    this.#asked.add(head.alias);
    const fallbacks = head.fallbacks.map((alias) => this.#ports.models.resolve(alias));
    return [head, ...fallbacks.filter((target) => takesTexts(target, this.#context.draft))];
  }
}
