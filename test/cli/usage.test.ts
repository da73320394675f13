import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { ErrorReason } from "../../gen/sluice/v1/error_reason_pb.ts";
import { CallOrder, UsageDimension, UsageOrder } from "../../gen/sluice/v1/usage_pb.ts";
import {
  GetCallResponseSchema,
  ListCallsResponseSchema,
  type SummarizeUsageResponse,
  SummarizeUsageResponseSchema,
} from "../../gen/sluice/v1/usage_service_pb.ts";
import { csvText } from "../../src/cli/csv.ts";
import { UserError } from "../../src/cli/terminal.ts";
import { addUsageCommands } from "../../src/cli/usage-commands.ts";
import { exactUsd, moneyText } from "../../src/cli/usage-money.ts";
import { fences } from "../../tools/markdown/fences.ts";
import { week } from "./week-of-usage.ts";

const DAY_MS = Date.parse("2026-03-01T00:00:00Z");

const sums = {
  ...{ calls: 12_345n, failedCalls: 2n, memoryHits: 10n, sharedHits: 5n, joinedCalls: 1n, attempts: 9n },
  ...{ replayedCalls: 3n },
  ...{ promptTokens: 1_000_000n, completionTokens: 500n, costNanoUsd: 4_012_345_678_901n, savedNanoUsd: 412_345n },
  latency: { p50Ms: 12.4, p90Ms: 1234, p99Ms: 65_000 },
};

const summary = create(SummarizeUsageResponseSchema, {
  rows: [
    { key: { feature: "=cmd()", time: timestampFromMs(DAY_MS), user: "" }, sums },
    {
      key: { feature: "support\u001b[31m", time: timestampFromMs(DAY_MS), user: "u" },
      sums: { costNanoUsd: 400_000n, unpricedAttempts: 3n },
    },
  ],
  remainder: { rows: 7n, sums: { calls: 1n } },
  total: { ...sums, unpricedAttempts: 3n, estimatedAttempts: 2n },
  unpricedModels: [{ model: "exotic", attempts: 3n }],
  from: timestampFromMs(DAY_MS),
  to: timestampFromMs(DAY_MS + 86_400_000),
  backlog: { pendingRecords: 4n },
});

const listed = (pageToken: string) =>
  create(ListCallsResponseSchema, {
    calls: [
      {
        ...{ callId: `id-after-${pageToken}`, tenant: "acme", startedAt: timestampFromMs(DAY_MS), feature: "+1" },
        ...{ model: "fast", answeredBy: "fast", cacheStatus: CacheStatus.MEMORY_HIT, latencyMs: 7n },
        usage: { promptTokens: 1n, completionTokens: 2n },
      },
    ],
    nextPageToken: `${pageToken}x`,
  });

const CALL_ID = "01890000-0000-7000-8000-000000000000";

const found = create(GetCallResponseSchema, {
  call: {
    stageMs: { parse: 2, call_model: 7, validate: 0.1, build_context: 1 },
    attempts: [
      {
        attempt: { number: 1, model: "fast", usage: { promptTokens: 9n }, errorReason: ErrorReason.RATE_LIMITED },
        finishedAt: timestampFromMs(DAY_MS),
        ...{ outcomeUnknown: true, feature: "support" },
      },
      { attempt: { number: 2, model: "smart" } },
    ],
  },
});

/** Runs a usage command against a server that answers the above, and notes what it was asked. */
async function usage(...args: string[]) {
  return await usageOf(summary, ...args);
}

async function usageOf(summed: SummarizeUsageResponse, ...args: string[]) {
  const asked: Record<string, unknown>[] = [];
  let stdout = "";
  const out = {
    write(text: string) {
      stdout += text;
    },
  };
  const terminal = { stdin: Readable.from([]), stdout: out, stderr: out, env: {} };
  const answer = async <T>(request: object, response: T) => {
    asked.push({ ...request });
    return response;
  };
  const client = {
    summarizeUsage: (request: object) => answer(request, summed),
    listCalls: (request: { pageToken?: string }) => answer(request, listed(request.pageToken ?? "")),
    getCall: (request: object) => answer(request, found),
  };
  const program = new Command("sluice").enablePositionalOptions();
  const run =
    <Given extends unknown[]>(action: (...given: Given) => Promise<number> | number) =>
    async (...given: Given) => {
      assert.equal(await action(...given), 0);
    };
  addUsageCommands(program, { terminal, run }, () => client);
  await program.parseAsync(["usage", ...args], { from: "user" });
  return { stdout, asked };
}

describe("sluice usage", () => {
  it("shows a table with money that can be read, and says what is not in it", async () => {
    const { stdout, asked } = await usage(
      "--by",
      "feature,day",
      "--by",
      "user",
      "--from",
      "2026-03-01",
      "--to",
      "2026-03-02T00:00Z",
    );
    const [request] = asked;
    assert.deepEqual(request?.groupBy, [UsageDimension.FEATURE, UsageDimension.DAY, UsageDimension.USER]);
    assert.deepEqual([request?.from, request?.to], [timestampFromMs(DAY_MS), timestampFromMs(DAY_MS + 86_400_000)]);
    assert.equal(request?.orderBy, UsageOrder.TIME);
    assert.match(stdout, /^2026-03-01 00:00 to 2026-03-02 00:00 UTC\n/);
    assert.match(
      stdout,
      /=cmd\(\) +2026-03-01 +- +12,345 +2 +15 +1 +3 +1,000,000 +500 +\$4,012\.35 +\$0\.000412 +12 ms +1\.2 s +65 s/,
    );
    assert.match(stdout, /support\uFFFD.* \$0\.0004\+\? /);
    assert.match(stdout, /\(7 more\)/);
    assert.match(stdout, /\ntotal .*\$4,012\.35\+\?/);
    assert.match(stdout, /\+\? not in the cost: 3 attempts of unknown price: exotic \(3\)/);
    assert.match(stdout, /charged as estimated: 2 attempts\n/);
    assert.match(stdout, /still on their way and not counted: 4 records\n/);
  });

  it("prints CSV with every digit, quoted, without formulas", async () => {
    const { stdout } = await usage("--by", "feature,day", "--csv");
    const [head, first] = stdout.split("\r\n");
    assert.match(head ?? "", /^row,feature,day,calls,failed_calls,/);
    assert.match(
      first ?? "",
      /^group,"'=cmd\(\)",2026-03-01,12345,2,10,5,1,3,9,1000000,0,500,0,4012\.345678901,0,0,0\.000412345,0,12\.4,1234\.0,65000\.0$/,
    );
    assert.match(stdout, /\r\nremainder,,,1,/);
    assert.match(stdout, /\r\ntotal,,,12345,.*\r\n$/);
  });

  it("prints the answer as JSON", async () => {
    const { stdout } = await usage("--json");
    const { rows, total } = JSON.parse(stdout);
    assert.equal(total.costNanoUsd, "4012345678901");
    // A zero is printed: what is missing is unknown.
    assert.deepEqual([rows[1].sums.calls, rows[1].sums.savedNanoUsd, rows[1].sums.latency], ["0", "0", undefined]);
  });

  it("prints a dash for calls without an answer, and CSV an empty cell", async () => {
    const { stdout } = await usage("--by", "cache");
    assert.match(stdout, /\n- +12,345 /);
    assert.match((await usage("--by", "cache", "--csv")).stdout, /\r\ngroup,,12345,/);
  });

  it("hands on filters, order, limit, span and tenant", async () => {
    const { asked } = await usage(
      ...["--user", "u-1", "--user", "u-2", "--cache", "memory_hit", "--error", "rate_limited", "--prompt", "p"],
      ...[
        "--synthetic",
        "none",
        "--order",
        "calls",
        "--limit",
        "7",
        "--all-tenants",
        "--last",
        "36h",
        "--to",
        "2026-03-02",
      ],
    );
    const [request] = asked;
    assert.deepEqual(request?.filter, {
      ...{ features: [], users: ["u-1", "u-2"], models: [], promptNames: ["p"], promptVersions: [] },
      ...{ errorReasons: ["RATE_LIMITED"], cacheStatuses: [CacheStatus.MEMORY_HIT], synthetic: false },
    });
    assert.deepEqual([request?.orderBy, request?.limit], [UsageOrder.CALLS, 7]);
    assert.deepEqual(request?.scope, { tenant: "", allTenants: true });
    assert.deepEqual(request?.from, timestampFromMs(DAY_MS - 12 * 3_600_000));
  });

  const refused: [string[], RegExp][] = [
    [["--by", "colour"], /--by: colour is none of feature/],
    [["--by", "toString"], /--by/],
    [["--from", "yesterday"], /--from: must be a date/],
    [["--from", "2026-02-30"], /^--from: 2026-02-30 is not a day of the calendar$/],
    [["--to", "2026-13-01T10:00Z"], /^--to: 2026-13-01 is not a day of the calendar$/],
    [["--from", "0050-01-01"], /--from: must be in the years/],
    [["cals"], /^usage: cals is none of its commands, which are calls and call$/],
    [["call", "123"], /^<id>: must be the id of a call, such as 01890000-/],
    [["--from", "2026-03-01T25:00Z"], /--from/],
    [["--to", "1969-12-31"], /--to: must be in the years/],
    [["--last", "7w"], /--last/],
    [["--last", "0d"], /--last/],
    [["--last", "1d", "--from", "2026-03-01"], /only one/],
    [["--limit", "0"], /--limit/],
    [["--limit", "1001"], /--limit/],
    [["--cache", "constructor"], /--cache/],
    [["--csv", "--json"], /only one/],
    [["--tenant", "a", "--all-tenants"], /only one/],
    [["calls", "--min-cost", "-1"], /--min-cost/],
    [["calls", "--min-cost", "1e3"], /--min-cost/],
    [["calls", "--min-latency", "soon"], /--min-latency/],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${args.join(" ")}`, async () => {
      await assert.rejects(usage(...args), (error) => error instanceof UserError && message.test(error.message));
    });
  }
});

describe("docs/usage.md", () => {
  it("shows what a week looks like as the command prints it", async () => {
    const { stdout } = await usageOf(week, "--by", "feature");
    const printed = fences(readFileSync("docs/usage.md", "utf8")).find(({ text }) => text.startsWith("2026-03-04"));
    assert.equal(printed?.text.trimEnd(), stdout.trimEnd());
  });
});

describe("sluice usage calls", () => {
  it("fetches pages until its limit", async () => {
    const { stdout, asked } = await usage(
      "calls",
      "--only-errors",
      "--min-cost",
      "0.05",
      "--min-latency",
      "5s",
      "--order",
      "dearest",
      "--limit",
      "3",
    );
    assert.deepEqual(
      asked.map(({ pageToken, pageSize }) => [pageToken, pageSize]),
      [
        ["", 3],
        ["x", 2],
        ["xx", 1],
      ],
    );
    const [request] = asked;
    assert.deepEqual(
      [request?.onlyFailed, request?.minCostNanoUsd, request?.minLatencyMs, request?.orderBy],
      [true, 50_000_000n, 5000n, CallOrder.DEAREST],
    );
    assert.match(stdout, /2026-03-01 00:00:00 +id-after-xx +\+1 +- +fast +memory_hit +1 +2 +unknown +7 ms/);
    assert.match(stdout, /there are more/);
  });

  it("prints CSV, with an unknown cost empty", async () => {
    const { stdout } = await usage("calls", "--limit", "1", "--csv");
    assert.match(
      stdout,
      /\r\n2026-03-01T00:00:00.000Z,id-after-,acme,"'\+1",,,,,fast,fast,memory_hit,,0,1,0,2,0,false,,,7,false\r\n$/,
    );
  });
});

describe("sluice usage call", () => {
  it("shows the attempts of a call that never ended", async () => {
    const { stdout, asked } = await usage("call", CALL_ID, "--tenant", "globex");
    assert.deepEqual(asked, [{ callId: CALL_ID, tenant: "globex" }]);
    assert.match(stdout, /^call 01890000-0000-7000-8000-000000000000\nit has no end/);
    assert.match(stdout, /attempt 1: fast, its process died; charged as estimated\n {4}9 \+ 0 tokens, cost unknown/);
    assert.match(stdout, /attempt 2: smart, under way/);
    assert.match(stdout, /stages: validate 0\.1 ms, build context 1\.0 ms, call model 7\.0 ms, parse 2\.0 ms\n/);
  });

  it("prints JSON with zeros, stages in the order of the pipeline", async () => {
    const { call } = JSON.parse((await usage("call", CALL_ID, "--json")).stdout);
    assert.deepEqual(Object.keys(call.stageMs), ["validate", "build_context", "call_model", "parse"]);
    const [{ attempt }] = call.attempts;
    assert.deepEqual(
      [attempt.errorReason, attempt.usage.completionTokens, attempt.costNanoUsd],
      ["ERROR_REASON_RATE_LIMITED", "0", undefined],
    );
  });
});

describe("money and CSV", () => {
  it("shows amounts so that large and small ones can be read", () => {
    const texts = [0n, 1n, 412_345n, 400_000n, 999_999_999n, 1_005_000_000n, 4_012_345_678_901n, 10n ** 18n, -5n].map(
      moneyText,
    );
    assert.deepEqual(texts, [
      "$0.00",
      "$0.000000001",
      "$0.000412",
      "$0.0004",
      "$1.00",
      "$1.01",
      "$4,012.35",
      "$1,000,000,000.00",
      "-$0.000000005",
    ]);
    assert.equal(exactUsd(4_012_345_678_901n), "4012.345678901");
  });

  it("quotes what CSV needs quoted, and disarms formulas", () => {
    const cells = ['say "hi"', "a,b", "a\r\nb", "=1", "+1", "-1", "@x", "\tx", "plain", ""];
    assert.equal(csvText([cells]), '"say ""hi""","a,b","a\r\nb","\'=1","\'+1","\'-1","\'@x","\'\tx",plain,\r\n');
    assert.equal(csvText([[-1n, 2]]), "-1,2\r\n");
  });
});
