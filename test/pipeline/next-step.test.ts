import assert from "node:assert/strict";
import type { UpstreamErrorFields, UpstreamErrorKind } from "../../src/core/model.ts";
import { nextStep, type Situation } from "../../src/pipeline/call-model/next-step.ts";

const situation: Situation = {
  policy: { maxAttempts: 4, maxCorrections: 2, backoffBaseMs: 200, backoffMaxMs: 8000, maxWaitMs: 30_000 },
  failuresInRow: 1,
  remainingMs: 60_000,
  hasNextModel: false,
  random: 0,
};
const failure = (kind: UpstreamErrorKind, fields: Partial<UpstreamErrorFields> = {}): UpstreamErrorFields => ({
  kind,
  httpStatus: 0,
  ...fields,
});

describe("the step after a failed attempt", () => {
  it("waits as the provider told, never shorter, a little longer by chance", () => {
    for (const random of [0, 0.5, 0.999]) {
      const step = nextStep(failure("rate_limited", { waitMs: 2000 }), { ...situation, random });
      assert.ok(step.kind === "again" && step.waitMs >= 2000 && step.waitMs <= 2100);
    }
  });

  it("does not begin a wait that outlives the deadline or the policy", () => {
    const told = failure("rate_limited", { waitMs: 20_000 });
    assert.equal(nextStep(told, { ...situation, remainingMs: 19_000 }).kind, "next_model");
    const tooLong = failure("rate_limited", { waitMs: 86_400_000 });
    assert.equal(nextStep(tooLong, { ...situation, remainingMs: Number.MAX_SAFE_INTEGER }).kind, "next_model");
  });

  it("backs off exponentially, within its bounds, where nothing was told", () => {
    const waits = [1, 2, 3, 10, 1000].map((failuresInRow) => {
      const step = nextStep(failure("overloaded"), { ...situation, failuresInRow, random: 0.999_999 });
      return step.kind === "again" ? Math.round(step.waitMs) : -1;
    });
    assert.deepEqual(waits, [200, 400, 800, 8000, 8000]);
  });

  it("turns to the next model after a second failure in a row", () => {
    const again = { ...situation, hasNextModel: true };
    assert.equal(nextStep(failure("overloaded"), again).kind, "again");
    assert.equal(nextStep(failure("overloaded"), { ...again, failuresInRow: 2 }).kind, "next_model");
  });

  it("asks a silent model once more, without a wait, and never a third time", () => {
    assert.deepEqual(nextStep(failure("first_byte_timeout"), situation), { kind: "again", waitMs: 0, isTold: false });
    assert.equal(nextStep(failure("first_byte_timeout"), { ...situation, failuresInRow: 2 }).kind, "next_model");
  });

  it("never sends again unchanged what would be refused again", () => {
    for (const kind of [
      "exceeds_rate_window",
      "quota_exhausted",
      "auth_invalid",
      "permission_denied",
      "model_not_found",
    ] as const) {
      assert.equal(nextStep(failure(kind, { waitMs: 1 }), situation).kind, "next_model", kind);
    }
  });

  it("carries nothing that a filter stopped to another model", () => {
    for (const kind of ["content_filtered_input", "content_filtered_output", "request_refused"] as const) {
      assert.equal(nextStep(failure(kind), { ...situation, hasNextModel: true }).kind, "give_up", kind);
    }
  });

  it("asks differently what a different request may mend", () => {
    for (const kind of [
      "context_overflow",
      "payload_too_large",
      "output_limit_invalid",
      "json_mode_refused",
    ] as const) {
      assert.equal(nextStep(failure(kind), situation).kind, "changed", kind);
    }
  });

  it("heeds what the provider says of a retry", () => {
    assert.equal(nextStep(failure("rate_limited", { waitMs: 10, retry: false }), situation).kind, "next_model");
    assert.equal(nextStep(failure("content_filtered_input", { retry: false }), situation).kind, "give_up");
    assert.equal(nextStep(failure("context_overflow", { retry: false }), situation).kind, "changed");
    assert.equal(nextStep(failure("request_refused", { retry: true }), situation).kind, "again");
  });
});
