import assert from "node:assert/strict";
import type { Observation } from "../observation.ts";

/** When everybody has an answer, nothing is left: no call, no sleep, no request, no flight, no slot. */
export function nothingIsLeftOver({ leftovers }: Observation): void {
  assert.deepEqual(leftovers, []);
}
