import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { BudgetPeriod, BudgetScope } from "../../gen/sluice/v1/budget_pb.ts";
import { BudgetExceededDetailSchema } from "../../gen/sluice/v1/error_detail_pb.ts";
import { runCli } from "../../src/cli/program.ts";
import { Code, failureOf, startFakeServer } from "./fake-server.ts";

/** What `sluice complete` prints for a call that a budget refuses. */
async function refused(fields: MessageInitShape<typeof BudgetExceededDetailSchema>, waitSeconds?: number) {
  const budget = create(BudgetExceededDetailSchema, {
    ...{ scope: BudgetScope.USER, name: "u-1", period: BudgetPeriod.DAY, limitNanoUsd: 1_000_000_000n },
    resetTime: timestampFromMs(Date.UTC(2026, 0, 2)),
    ...fields,
  });
  const wait = { retryDelay: { seconds: BigInt(waitSeconds ?? 0), nanos: 0 } };
  const details = [
    { desc: BudgetExceededDetailSchema, value: budget },
    ...(waitSeconds === undefined ? [] : [{ desc: RetryInfoSchema, value: create(RetryInfoSchema, wait) }]),
  ];
  const server = await startFakeServer([failureOf("BUDGET_EXCEEDED", Code.ResourceExhausted, "no", details)]);
  let stderr = "";
  const sink = { write: () => true };
  const err = {
    write(text: string) {
      stderr += text;
    },
  };
  const terminal = { stdin: Readable.from([]), stdout: sink, stderr: err, env: {} };
  try {
    return { code: await runCli(["complete", "summarize", "--server", server.url], terminal), stderr };
  } finally {
    await server.close();
  }
}

describe("a call that a budget refuses, at the command line", () => {
  const usd = 1_000_000_000n;

  it("may be tried again where the budget begins anew, and long waits are hours and minutes", async () => {
    const { code, stderr } = await refused({ spentNanoUsd: usd, requestedNanoUsd: 5n }, 73_330);
    assert.equal(code, 3);
    assert.match(stderr, /^wait: 20 h 23 min$/m);
    assert.match(stderr, /^ {2}begins anew at 2026-01-02T00:00:00.000Z$/m);
    assert.match(stderr, /^fix: `sluice budgets` shows what is left; wait until/m);
  });

  for (const [seconds, text] of [
    [1, "1000 ms"],
    [119, "119000 ms"],
    [120, "2 min"],
    [121, "3 min"],
    [3_600, "1 h 0 min"],
  ] as const) {
    it(`waits ${seconds} s as ${text}`, async () => {
      const { stderr } = await refused({ spentNanoUsd: usd, requestedNanoUsd: 5n }, seconds);
      assert.match(stderr, new RegExp(`^wait: ${text}$`, "m"));
    });
  }

  it("is not to be tried again where the price is unknown: it must be set", async () => {
    const { code, stderr } = await refused({ unpricedModel: "own" });
    assert.equal(code, 1);
    assert.match(stderr, /^ {2}the price of own is unknown$/m);
    assert.match(stderr, /^fix: .* of own with prices\.override\./m);
    assert.doesNotMatch(stderr, /begins anew|^wait/m);
  });

  it("is not to be tried again where it may cost more than the whole budget: less output or a higher limit", async () => {
    const { code, stderr } = await refused({ requestedNanoUsd: usd + 1n });
    assert.equal(code, 1);
    assert.match(stderr, /^fix: Waiting cannot help: allow less output .* raise the limit\.$/m);
    assert.doesNotMatch(stderr, /begins anew|^wait/m);
    // One that would just fit may wait.
    assert.equal((await refused({ spentNanoUsd: 1n, requestedNanoUsd: usd }, 60)).code, 3);
  });
});
