import assert from "node:assert/strict";
import type { Ran } from "../support/child.ts";
import { sections } from "./sections.ts";

/** Asserts that an example program ended well and printed a completion, the same one as a stream, and a typed error. */
export function assertExampleRan({ code, stdout, stderr }: Ran): void {
  assert.equal(code, 0, stderr);
  const { Complete: complete, StreamComplete: stream, Error: error } = sections(stdout);
  assert.ok(complete, stdout);
  assert.equal(stream, complete);
  assert.match(error ?? "", /^(NOT_FOUND|NotFound|not_found) UNKNOWN_MODEL\nnearest:/);
}
