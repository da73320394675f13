import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { IdempotencyKey, Outcome } from "../../src/core/idempotency.ts";
import { requestHash } from "../../src/pipeline/idempotency/request-hash.ts";
import { beginOnce, outcomeOf } from "../../src/pipeline/idempotency.ts";
import { checkMessage } from "../../src/pipeline/validate.ts";
import { testCall } from "../support/pipeline-ports.ts";
import { failures } from "../wire/failures.ts";

describe("the start of a call with an idempotency key", () => {
  const earlier: Outcome = { kind: "completion", completion: create(CompletionSchema, { text: "before" }) };
  const asked: { key: IdempotencyKey; signal: AbortSignal }[] = [];
  const ports = {
    idempotency: {
      async begin(key: IdempotencyKey, signal: AbortSignal) {
        asked.push({ key, signal });
        return earlier;
      },
    },
  };

  it("asks for tenant, key, request and call, until the call ends", async () => {
    const input = create(CompletionInputSchema, { model: "fast", idempotencyKey: "order-4711" });
    const call = testCall();
    assert.equal(await beginOnce(ports, call, input), earlier);
    const key = {
      tenant: "acme",
      key: "order-4711",
      requestHash: requestHash("acme", create(CompletionInputSchema, { model: "fast" })),
      callId: call.id,
    };
    assert.deepEqual(asked.splice(0), [{ key, signal: call.signal }]);
  });

  it("asks nobody where there is no key", async () => {
    assert.equal(await beginOnce(ports, testCall(), create(CompletionInputSchema, { model: "fast" })), undefined);
    assert.deepEqual(asked, []);
  });
});

describe("an idempotency key", () => {
  const check = (idempotencyKey: string) => {
    const messages = [{ role: Role.USER, content: [{ content: { case: "text" as const, value: "q" } }] }];
    checkMessage(CompletionInputSchema, create(CompletionInputSchema, { messages, idempotencyKey }), "input");
  };

  it("is any visible ASCII of at most 255 characters", () => {
    for (const key of ["a", "!", "~", "order/4711:line=3", '"\'"', "x".repeat(255)]) check(key);
  });

  for (const key of [" ", "a b", "a\u0000b", "a\n", "é", "\ud800", "\u007f", "x".repeat(256)]) {
    it(`is not ${JSON.stringify(key.slice(0, 9))} of ${key.length}`, () => {
      assert.throws(
        () => check(key),
        (error) => {
          assert.ok(error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST");
          assert.deepEqual(
            error.failure.violations.map(({ field, rule }) => [field, rule]),
            [["input.idempotency_key", "string.pattern"]],
          );
          return true;
        },
      );
    });
  }
});

describe("the failures that are kept", () => {
  it("are those that a repetition would only pay again", () => {
    const all = Object.values(failures("text"));
    const kept = all.filter((failure) => outcomeOf(new SluiceError(failure)));
    assert.deepEqual(kept.map(({ reason }) => reason).sort(), [
      "CONTENT_FILTERED",
      "PARSE_FAILURE",
      "SEMANTIC_FAILURE",
    ]);
    for (const failure of kept) assert.deepEqual(outcomeOf(new SluiceError(failure)), { kind: "failure", failure });
  });

  it("are never bugs", () => assert.equal(outcomeOf(new Error("bug")), undefined));
});
