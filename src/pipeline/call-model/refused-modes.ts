import { hash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { ModelTarget } from "../../core/model.ts";

/** A provider may learn a schema's keywords, or an operator mend a setting. */
const REMEMBERED_MS = 60 * 60 * 1000;
const MAX_REMEMBERED = 1_000;

/**
 * The schemas that a model's provider refused in its native mode, so that not every call pays an attempt to find that
 * out again. Bounded, and forgotten after an hour.
 */
export class RefusedModes {
  readonly #clock: Clock;
  /** By model and schema, when to forget, the oldest first. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(target: ModelTarget, schemaText: string): boolean {
    if (this.#until.size === 0) return false;
    return (this.#until.get(keyOf(target, schemaText)) ?? 0) > this.#clock.monotonicMs();
  }

  add(target: ModelTarget, schemaText: string): void {
    const key = keyOf(target, schemaText);
    this.#until.delete(key);
    this.#until.set(key, this.#clock.monotonicMs() + REMEMBERED_MS);
    const [oldest] = this.#until.keys();
    if (this.#until.size > MAX_REMEMBERED && oldest !== undefined) this.#until.delete(oldest);
  }
}

function keyOf({ provider, providerModel }: ModelTarget, schemaText: string): string {
  return JSON.stringify([provider.id, providerModel, hash("sha256", schemaText)]);
}
