import type { Clock } from "../../core/clock.ts";
import type { ChatModel } from "../../core/model.ts";
import type { TokenCounter } from "../../core/tokens.ts";
import { behaviours, CONTEXT_TOKENS, MAX_OUTPUT_TOKENS } from "./behaviours.ts";
import { play } from "./play.ts";

/** Milliseconds between two words, where a behaviour has no pace of its own. */
const DEFAULT_PACE_MS = 2;

/** A model that answers without a network: the same request always gets the same answer. */
export interface SandboxModel {
  /** Such as "sandbox/extract". */
  readonly name: string;
  /** What the model shows, in one sentence. */
  readonly description: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly chat: ChatModel;
}

/**
 * All sandbox models, the default `sandbox/extract` first. They keep no state: what happens "once" happens on the
 * attempt with number 1 of a call. `paceMs` is the pause between two words, 2 by default.
 */
export function createSandboxModels(deps: {
  clock: Clock;
  counter: TokenCounter;
  paceMs?: number;
}): readonly SandboxModel[] {
  return behaviours.map((behaviour) => ({
    name: behaviour.name,
    description: behaviour.description,
    contextTokens: CONTEXT_TOKENS,
    maxOutputTokens: MAX_OUTPUT_TOKENS,
    chat: {
      complete(request, signal) {
        const scene = behaviour.attempts[Math.min(request.attempt, behaviour.attempts.length) - 1];
        const paceMs = behaviour.paceMs ?? deps.paceMs ?? DEFAULT_PACE_MS;
        return play(scene ?? behaviour.attempts[0], { ...deps, paceMs, name: behaviour.name, request, signal });
      },
    },
  }));
}
