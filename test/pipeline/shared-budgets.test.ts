import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { SkipCause } from "../../gen/sluice/v1/error_detail_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { type BudgetPayer, type Budgets, noBudgets, type PlannedAttempt } from "../../src/core/budgets.ts";
import { type Failure, SluiceError } from "../../src/core/failure.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { scriptedModel, target } from "../support/models.ts";
import { pipelinePorts, testCall } from "../support/pipeline-ports.ts";

type Init = Exclude<MessageInitShape<typeof CompletionInputSchema>, { $typeName: string }>;

const ask = (user: string, rest: Init = {}) =>
  create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "q" } }] }],
    attribution: { user },
    ...rest,
  });

/** Budgets of users, kept by a rule; `asked` are the users that wanted to reserve, in order. */
function budgetsOf(mayPay: (payer: BudgetPayer, attempt: PlannedAttempt, nth: number) => boolean) {
  const asked: string[] = [];
  const budgets: Budgets = {
    ...noBudgets(),
    async reserve(payer, attempt) {
      asked.push(payer.user);
      // As over Redis, a reservation takes a moment.
      await new Promise(setImmediate);
      if (mayPay(payer, attempt, asked.length)) return { settle() {} };
      const amounts = { limitNanoUsd: 10n, spentNanoUsd: 10n, reservedNanoUsd: 0n, requestedNanoUsd: 5n };
      const bucket = { scope: "user", name: payer.user, per: "day", resetAtMs: 0 } as const;
      throw new SluiceError({ reason: "BUDGET_EXCEEDED", ...bucket, ...amounts });
    },
  };
  return { asked, budgets };
}

async function failureOf(call: Promise<unknown>): Promise<Failure | undefined> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof SluiceError ? error.failure : undefined;
}

describe("an answer whose payer may not pay", () => {
  const usage = { promptTokens: 100, cachedPromptTokens: 0, completionTokens: 10, reasoningTokens: 0 };

  it("is paid by another who wants it, and only the one who may not is refused", async () => {
    const chat = scriptedModel({ deltas: ["x"], end: { usage } });
    const { asked, budgets } = budgetsOf(({ user }) => user === "rich");
    const pipeline = createPipeline({ ...pipelinePorts([target({ chat })]), budgets });
    const calls = ["poor", "rich", "other"].map((user) => pipeline.complete(testCall({ id: user }), ask(user)));
    const [poor, rich, other] = await Promise.allSettled(calls);
    assert.equal(poor?.status, "rejected");
    assert.ok(rich?.status === "fulfilled" && other?.status === "fulfilled");
    assert.deepEqual([rich.value.cacheStatus, rich.value.costNanoUsd], [CacheStatus.MISS, 120n]);
    assert.deepEqual([other.value.cacheStatus, other.value.costNanoUsd], [CacheStatus.JOINED, 0n]);
    assert.deepEqual(asked, ["poor", "rich"]);
    assert.equal(chat.requests.length, 1);
  });

  it("is refused at once to all whom the same budget would refuse", async () => {
    const { asked, budgets } = budgetsOf(() => false);
    const pipeline = createPipeline({ ...pipelinePorts([target()]), budgets });
    const calls = Array.from({ length: 200 }, () => failureOf(pipeline.complete(testCall(), ask("poor"))));
    const reasons = new Set((await Promise.all(calls)).map((failure) => failure?.reason));
    assert.deepEqual([[...reasons], asked.length], [["BUDGET_EXCEEDED"], 1]);
  });

  it("is refused to each by the own budget, each asked once", async () => {
    const { asked, budgets } = budgetsOf(() => false);
    const pipeline = createPipeline({ ...pipelinePorts([target()]), budgets });
    const users = Array.from({ length: 200 }, (_, n) => `u${n}`);
    const failures = await Promise.all(users.map((user) => failureOf(pipeline.complete(testCall(), ask(user)))));
    assert.deepEqual(
      failures.map((failure) => failure?.reason === "BUDGET_EXCEEDED" && failure.name),
      users,
    );
    assert.equal(asked.length, 200);
  });

  it("fails as what was paid for did, where the budget does not suffice for another attempt", async () => {
    const gate = Promise.withResolvers<void>();
    const broken = { failure: { kind: "stream_interrupted" as const, httpStatus: 0 } };
    const chat = scriptedModel({ hold: gate.promise, deltas: ["lost"], ...broken }, { deltas: ["whole"] });
    const { budgets } = budgetsOf(({ user }, _attempt, nth) => user !== "poor" || nth === 1);
    const pipeline = createPipeline({ ...pipelinePorts([target({ chat })]), budgets });
    const poor = failureOf(pipeline.complete(testCall({ id: "poor" }), ask("poor")));
    await new Promise(setImmediate);
    const seen: (string | undefined)[] = [];
    const follow = async () => {
      for await (const { event } of pipeline.stream(testCall({ id: "rich" }), ask("rich"))) seen.push(event.case);
    };
    const following = follow();
    await new Promise(setImmediate);
    gate.resolve();
    assert.equal((await poor)?.reason, "STREAM_INTERRUPTED");
    await assert.rejects(following);
    assert.deepEqual(seen, ["started", "textDelta"]);
  });
});

describe("an attempt that its payer cannot afford", () => {
  it("fails as the answer before it did: that is what was paid for", async () => {
    const chat = scriptedModel({ deltas: ["no JSON"] });
    const { budgets } = budgetsOf((_payer, _attempt, nth) => nth === 1);
    const pipeline = createPipeline({ ...pipelinePorts([target({ chat })]), budgets });
    const output = { format: { case: "json" as const, value: { schema: '{"type":"object"}' } } };
    const failure = await failureOf(pipeline.complete(testCall(), ask("u", { output })));
    assert.ok(failure?.reason === "PARSE_FAILURE");
    assert.deepEqual([failure.attempts.length, chat.requests.length], [1, 1]);
  });

  it("is left out for the next model of the chain, and named where there is none", async () => {
    const down = scriptedModel({ failure: { kind: "overloaded", httpStatus: 503 } });
    const dear = target({ alias: "dear", chat: scriptedModel({ deltas: ["dear"] }) });
    const cheap = target({ alias: "cheap", chat: scriptedModel({ deltas: ["cheap"] }) });
    const { budgets } = budgetsOf((_payer, { model }) => model !== "dear");
    const chain = (...fallbacks: string[]) => {
      const ports = pipelinePorts([target({ chat: down, fallbacks }), dear, cheap], { maxAttempts: 3 });
      return createPipeline({ ...ports, budgets });
    };
    assert.equal((await chain("dear", "cheap").complete(testCall(), ask("u"))).text, "cheap");
    const failure = await failureOf(chain("dear").complete(testCall(), ask("u")));
    assert.ok(failure?.reason === "MODEL_UNAVAILABLE");
    assert.deepEqual(failure.skipped, [{ model: "dear", cause: SkipCause.BUDGET, retryAfterMs: 0 }]);
  });
});
