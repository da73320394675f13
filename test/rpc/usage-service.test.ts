import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { ErrorReason } from "../../gen/sluice/v1/error_reason_pb.ts";
import { CallOrder, UsageDimension, UsageOrder } from "../../gen/sluice/v1/usage_pb.ts";
import { UsageService } from "../../gen/sluice/v1/usage_service_pb.ts";
import { systemClock } from "../../src/core/clock.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { CallQuery, StoredCall, UsageBacklog, UsageQuery, UsageStore, UsageSums } from "../../src/core/usage.ts";
import { createAuthenticator } from "../../src/rpc/auth.ts";
import { createCallSetup } from "../../src/rpc/call/call-setup.ts";
import { usageService } from "../../src/rpc/usage-service.ts";
import { failureOf } from "./support/in-memory.ts";
import { memoryLog } from "./support/test-server.ts";

const NOW_MS = Date.parse("2026-03-10T12:34:56.789Z");
const DAY_MS = 86_400_000;
const at = (text: string) => timestampFromMs(Date.parse(text));

const sums: UsageSums = {
  ...{ calls: 3n, failedCalls: 1n, memoryHits: 1n, sharedHits: 0n, joinedCalls: 0n, replayedCalls: 0n },
  ...{ savedNanoUsd: 5n, unpricedHits: 0n, attempts: 2n, promptTokens: 10n, cachedPromptTokens: 0n },
  ...{ completionTokens: 4n, reasoningTokens: 0n, costNanoUsd: 2n ** 70n, unpricedAttempts: 1n, estimatedAttempts: 0n },
  latency: { p50Ms: 1.5, p90Ms: 2, p99Ms: 3 },
};

function storedCall(number: number): StoredCall {
  return {
    ...{ tenant: "acme", callId: `id-${number}`, calledAtMs: NOW_MS - number, feature: "f", user: "u" },
    ...{ method: "Complete", promptName: "p", promptVersion: "v1", model: "fast", answeredBy: "fast" },
    ...{ cacheStatus: "memory_hit", attempts: 0, promptTokens: 0n, cachedPromptTokens: 0n, completionTokens: 0n },
    ...{ reasoningTokens: 0n, usageEstimated: false, latencyMs: 7n, stageMs: {}, synthetic: false, errorReason: "" },
    finishedAtMs: NOW_MS,
  };
}

/** The service over a store that notes what it is asked; callers with the key `admin` are admins, others are not. */
function service(key = "plain", replaced: Partial<UsageStore> = {}, backlog: UsageBacklog = { pendingRecords: 0 }) {
  const summaries: UsageQuery[] = [];
  const lists: CallQuery[] = [];
  const gets: string[][] = [];
  const usage: UsageStore = {
    async summarize(query) {
      summaries.push(query);
      const row = { key: { feature: "f", day: NOW_MS, cache_status: "shared_hit" }, sums };
      return { rows: [row], rest: { groups: 2n, sums }, total: sums, unpricedModels: [{ model: "x", attempts: 1n }] };
    },
    async listCalls(query) {
      lists.push(query);
      return Array.from({ length: query.limit }, (_, number) => storedCall(number));
    },
    async getCall(tenant, callId) {
      gets.push([tenant, callId]);
      return undefined;
    },
    ...replaced,
  };
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const authenticator = createAuthenticator([
    { id: "plain", tenant: "acme", sha256: sha256("plain"), admin: false },
    { id: "other", tenant: "globex", sha256: sha256("other"), admin: false },
    { id: "admin", tenant: "acme", sha256: sha256("admin"), admin: true },
  ]);
  const limits = { deadlineMs: 10_000, maxDeadlineMs: 20_000, maxCalls: 100 };
  const setup = createCallSetup({ clock: systemClock, log: memoryLog(), authenticator, ...limits });
  const clock = { ...systemClock, nowMs: () => NOW_MS };
  const estimator = { estimate: () => assert.fail("nothing is estimated") };
  const unasked = () => assert.fail("no budget is asked");
  const budgets = { admit: unasked, reserve: unasked, states: unasked };
  const implementation = usageService({ usage, backlog: () => backlog, clock, estimator, budgets });
  const transport = createRouterTransport((router) => router.service(UsageService, implementation), {
    router: { requestGate: setup.requestGate, interceptors: setup.interceptors },
    transport: {
      interceptors: [
        (next) => (request) => {
          request.header.set("x-api-key", key);
          return next(request);
        },
      ],
    },
  });
  return { client: createClient(UsageService, transport), summaries, lists, gets };
}

describe("UsageService.SummarizeUsage", () => {
  it("asks for the last seven UTC days of the caller's tenant where nothing is said", async () => {
    const { client, summaries } = service();
    const { from, to } = await client.summarizeUsage({});
    const range = { fromMs: Date.parse("2026-03-04T00:00:00Z"), toMs: Date.parse("2026-03-10T13:00:00Z") };
    const [query] = summaries;
    assert.deepEqual([query?.fromMs, query?.toMs], [range.fromMs, range.toMs]);
    assert.deepEqual([from, to], [timestampFromMs(range.fromMs), timestampFromMs(range.toMs)]);
    assert.deepEqual([query?.tenant, query?.groupBy, query?.order, query?.limit], ["acme", [], "cost", 100]);
  });

  it("takes whole hours: the begin earlier, the end later", async () => {
    const { client, summaries } = service();
    await client.summarizeUsage({ from: at("2026-03-01T10:59:59.999Z"), to: at("2026-03-01T12:00:00.001Z") });
    await client.summarizeUsage({ from: at("2026-03-01T10:00:00Z"), to: at("2026-03-01T12:00:00Z") });
    const hours = summaries.map(({ fromMs, toMs }) =>
      [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(11, 13)),
    );
    assert.deepEqual(hours, [
      ["10", "13"],
      ["10", "12"],
    ]);
  });

  it("takes the last hour of 9999, whose end has no whole hour", async () => {
    const { client, summaries } = service();
    for (const [from, to] of [
      ["9999-12-31T00:00:00Z", "9999-12-31T23:59:59.999Z"],
      ["9999-12-31T23:30:00Z", "9999-12-31T23:59:59Z"],
    ] as const) {
      const response = await client.summarizeUsage({ from: at(from), to: at(to) });
      assert.deepEqual(response.to, at("9999-12-31T23:59:59.999Z"));
      const query = summaries.pop();
      assert.deepEqual(
        [query?.fromMs, query?.toMs].map((ms) => new Date(ms ?? 0).toISOString()),
        [from.replace("30:00", "00:00").replace("Z", ".000Z"), "9999-12-31T23:59:59.999Z"],
      );
    }
  });

  it("hands on what was found, with keys, remainder, unpriced models and backlog", async () => {
    const backlog = { pendingRecords: 12, completeUntilMs: NOW_MS - 5000 };
    const { client } = service("plain", {}, backlog);
    const response = await client.summarizeUsage({ groupBy: [UsageDimension.FEATURE] });
    const [row] = response.rows;
    assert.deepEqual(
      [row?.key?.feature, row?.key?.user, row?.key?.cacheStatus],
      ["f", undefined, CacheStatus.SHARED_HIT],
    );
    assert.deepEqual(row?.key?.time, timestampFromMs(NOW_MS));
    assert.equal(row?.sums?.costNanoUsd, 2n ** 63n - 1n);
    assert.equal(response.remainder?.rows, 2n);
    assert.deepEqual([response.total?.calls, response.total?.latency?.p50Ms], [3n, 1.5]);
    assert.equal(response.unpricedModels[0]?.model, "x");
    assert.equal(response.backlog?.pendingRecords, 12n);
    assert.deepEqual(response.backlog?.completeUntil, timestampFromMs(NOW_MS - 5000));
  });

  it("groups a version with its prompt, and filters by the ledger's words", async () => {
    const { client, summaries } = service();
    await client.summarizeUsage({
      groupBy: [UsageDimension.PROMPT_VERSION, UsageDimension.HOUR],
      orderBy: UsageOrder.TIME,
      filter: {
        cacheStatuses: [CacheStatus.MEMORY_HIT, CacheStatus.UNSPECIFIED],
        errorReasons: [""],
        synthetic: false,
      },
    });
    const [query] = summaries;
    assert.deepEqual([query?.groupBy, query?.order], [["prompt", "prompt_version", "hour"], "time"]);
    assert.deepEqual(query?.filter.cacheStatuses, ["memory_hit", ""]);
    assert.deepEqual([query?.filter.errorReasons, query?.filter.synthetic], [[""], false]);
  });

  const { DAY, HOUR, USER, TENANT } = UsageDimension;
  const day = at("2026-03-01T00:00:00Z");
  const refused: Record<string, [object, string[]]> = {
    "an end before the begin": [{ from: at("2026-03-02T00:00:00Z"), to: day }, ["from"]],
    "an empty range": [{ from: day, to: day }, ["from"]],
    "a begin in the future": [{ from: at("2030-01-01T00:00:00Z") }, ["from"]],
    "more than 400 days": [{ from: timestampFromMs(NOW_MS - 401 * DAY_MS) }, ["from"]],
    "the year 0": [{ from: { seconds: -62_167_219_200n, nanos: 0 } }, ["from"]],
    "the year 10000": [{ to: { seconds: 253_402_300_800n, nanos: 0 } }, ["to"]],
    "seconds past all times": [
      { from: { seconds: 2n ** 63n - 1n, nanos: 0 }, to: { seconds: -(2n ** 63n), nanos: 0 } },
      ["from", "to"],
    ],
    "nanos that are none": [
      { from: { seconds: 1n, nanos: -1 }, to: { seconds: 1n, nanos: 1_000_000_000 } },
      ["from", "to"],
    ],
    "an unknown grouping": [{ groupBy: [99] }, ["group_by[0]"]],
    "no grouping": [{ groupBy: [0] }, ["group_by[0]"]],
    "a grouping twice": [{ groupBy: [USER, USER] }, ["group_by"]],
    "days and hours": [{ groupBy: [DAY, HOUR] }, ["group_by"]],
    "the order of time without one": [{ orderBy: UsageOrder.TIME }, ["order_by"]],
    "an unknown order": [{ orderBy: 99 }, ["order_by"]],
    "a negative limit": [{ limit: -1 }, ["limit"]],
    "a limit past 1,000": [{ limit: 1001 }, ["limit"]],
    "an unknown cache status": [{ filter: { cacheStatuses: [77] } }, ["filter.cache_statuses[0]"]],
    "101 users": [{ filter: { users: Array.from({ length: 101 }, String) } }, ["filter.users"]],
    "a NUL, which no text of the ledger has": [
      { filter: { users: ["a\0"] }, scope: { tenant: "\0" } },
      ["filter.users[0]", "scope.tenant"],
    ],
    "one tenant and all": [{ scope: { tenant: "acme", allTenants: true } }, ["scope.all_tenants"]],
  };
  for (const [what, [request, fields]] of Object.entries(refused)) {
    it(`refuses ${what}, naming the field`, async () => {
      const { client, summaries } = service("admin");
      const failure = await failureOf(client.summarizeUsage(request));
      assert.deepEqual([failure.reason, failure.fields, summaries], ["INVALID_REQUEST", fields, []]);
    });
  }

  it("shows other tenants to admins only", async () => {
    for (const request of [{ scope: { allTenants: true } }, { scope: { tenant: "globex" } }, { groupBy: [TENANT] }]) {
      assert.equal((await failureOf(service().client.summarizeUsage(request))).reason, "PERMISSION_DENIED");
    }
    await service().client.summarizeUsage({ scope: { tenant: "acme" } });
    const { client, summaries } = service("admin");
    await client.summarizeUsage({ scope: { allTenants: true }, groupBy: [TENANT] });
    await client.summarizeUsage({ scope: { tenant: "globex" } });
    assert.deepEqual(
      summaries.map(({ tenant }) => tenant),
      [undefined, "globex"],
    );
  });

  it("says so when the store is away", async () => {
    const away = new SluiceError({ reason: "STORE_UNAVAILABLE", resource: "postgres", limit: 0, retryAfterMs: 1000 });
    const { client } = service("plain", { summarize: () => Promise.reject(away) });
    assert.equal((await failureOf(client.summarizeUsage({}))).reason, "STORE_UNAVAILABLE");
  });
});

describe("UsageService.ListCalls", () => {
  it("gives pages whose tokens keep the range and the place", async () => {
    const { client, lists } = service();
    const request = { pageSize: 2, orderBy: CallOrder.SLOWEST, filter: { users: ["u"] } };
    const first = await client.listCalls(request);
    assert.deepEqual(
      first.calls.map(({ callId }) => callId),
      ["id-0", "id-1"],
    );
    assert.equal(first.calls[0]?.cacheStatus, CacheStatus.MEMORY_HIT);
    assert.equal(first.calls[0]?.costNanoUsd, undefined);
    await client.listCalls({ ...request, pageSize: 3, pageToken: first.nextPageToken });
    const [, next] = lists;
    assert.deepEqual(next?.after, { tenant: "acme", callId: "id-1", calledAtMs: NOW_MS - 1, value: 7n });
    assert.deepEqual([next?.toMs, next?.limit, next?.order], [NOW_MS, 4, "slowest"]);
  });

  it("gives no token on the last page", async () => {
    const { client } = service("plain", { listCalls: async () => [storedCall(1)] });
    assert.equal((await client.listCalls({ pageSize: 1 })).nextPageToken, "");
  });

  it("refuses tokens of other questions, of other tenants and of nobody", async () => {
    const { client } = service();
    const { nextPageToken: pageToken } = await client.listCalls({ pageSize: 2 });
    const strangers = [
      client.listCalls({ pageToken, onlyFailed: true }),
      client.listCalls({ pageToken, filter: { users: ["u-2"] } }),
      client.listCalls({ pageToken, orderBy: CallOrder.DEAREST }),
      client.listCalls({ pageToken, to: at("2026-03-01T00:00:00Z") }),
      service("other").client.listCalls({ pageToken }),
      client.listCalls({ pageToken: `${pageToken}A` }),
      client.listCalls({ pageToken: "x" }),
      client.listCalls({ pageToken: Buffer.from("[1,2]").toString("base64url") }),
    ];
    for (const call of strangers) {
      const { reason, fields } = await failureOf(call);
      assert.deepEqual([reason, fields], ["INVALID_REQUEST", ["page_token"]]);
    }
  });

  it("refuses tokens that were rewritten to ask for what a request may not", async () => {
    const from = timestampFromMs(NOW_MS - 300 * DAY_MS);
    const rewritten = async (request: object, change: (parts: unknown[]) => void) => {
      const { client, lists } = service();
      const { nextPageToken } = await client.listCalls({ pageSize: 2, ...request });
      const parts = JSON.parse(Buffer.from(nextPageToken, "base64url").toString());
      change(parts);
      const pageToken = Buffer.from(JSON.stringify(parts)).toString("base64url");
      const call = client.listCalls({ ...request, pageToken });
      return { call, lists };
    };
    const END_MS = Date.parse("9999-12-31T23:59:59.999Z") + 1;
    const forgeries: [object, (parts: unknown[]) => void][] = [
      [{}, (parts) => parts.splice(2, 1, 0)],
      [{}, (parts) => parts.splice(2, 2, 0, END_MS - 1)],
      [{}, (parts) => parts.splice(2, 2, NOW_MS + 1, NOW_MS)],
      [{}, (parts) => parts.splice(3, 1, END_MS)],
      [{ from }, (parts) => parts.splice(3, 1, NOW_MS + 101 * DAY_MS)],
      [{ from }, (parts) => parts.splice(3, 1, NOW_MS - 301 * DAY_MS)],
      [{ from, to: timestampFromMs(NOW_MS) }, (parts) => parts.splice(3, 1, NOW_MS + 1)],
      [{}, (parts) => parts.splice(6, 1, END_MS)],
      [{}, (parts) => parts.splice(6, 1, NOW_MS)],
      [{}, (parts) => parts.splice(6, 1, 0)],
    ];
    for (const [request, change] of forgeries) {
      const { call, lists } = await rewritten(request, change);
      const { reason, fields } = await failureOf(call);
      assert.deepEqual([reason, fields, lists.length], ["INVALID_REQUEST", ["page_token"], 1], String(change));
    }
    const { call } = await rewritten({ from }, () => {});
    assert.ok((await call).nextPageToken);
  });

  it("refuses negative bounds and too large pages", async () => {
    for (const [request, field] of [
      [{ minCostNanoUsd: -1n }, "min_cost_nano_usd"],
      [{ minLatencyMs: -1n }, "min_latency_ms"],
      [{ pageSize: 501 }, "page_size"],
    ] as const) {
      assert.deepEqual((await failureOf(service().client.listCalls(request))).fields, [field]);
    }
  });
});

describe("UsageService.GetCall", () => {
  it("answers UNKNOWN_CALL for what the caller's tenant does not have", async () => {
    const { client, gets } = service();
    assert.equal((await failureOf(client.getCall({ callId: "id-1" }))).reason, "UNKNOWN_CALL");
    assert.deepEqual(gets, [["acme", "id-1"]]);
    assert.equal((await failureOf(client.getCall({ callId: "id-1", tenant: "globex" }))).reason, "PERMISSION_DENIED");
    assert.deepEqual((await failureOf(client.getCall({}))).fields, ["call_id"]);
  });

  it("shows every attempt in full, also without a call", async () => {
    const start = {
      ...{ feature: "f", user: "u", method: "Complete", promptName: "p", promptVersion: "v1", model: "fast" },
      ...{ provider: "main", providerModel: "gpt", synthetic: false, cause: "output_limit", waitMs: 5n },
      ...{ estimatedPromptTokens: 9n, estimatedCostNanoUsd: 3n, startedAtMs: NOW_MS },
    };
    const end = {
      ...{ promptTokens: 10n, cachedPromptTokens: 1n, completionTokens: 2n, reasoningTokens: 0n, usageEstimated: true },
      ...{
        priceVersion: "list",
        latencyMs: 70n,
        timeToFirstTokenMs: 20n,
        httpStatus: 429,
        errorReason: "RATE_LIMITED",
      },
      finishedAtMs: NOW_MS + 70,
    };
    const lost = { ...end, errorReason: "OUTCOME_UNKNOWN" };
    const attempts = [
      { number: 1, start, end },
      { number: 2, end: lost },
      { number: 3, start },
    ];
    const { client } = service("plain", { getCall: async () => ({ attempts }) });
    const { call } = await client.getCall({ callId: "id-1" });
    assert.equal(call?.call, undefined);
    const [first, second, third] = call?.attempts ?? [];
    assert.deepEqual(
      [first?.attempt?.cause, first?.attempt?.errorReason, first?.attempt?.httpStatus],
      [5, ErrorReason.RATE_LIMITED, 429],
    );
    assert.equal(second?.attempt?.errorReason, ErrorReason.UNSPECIFIED);
    assert.deepEqual([first?.attempt?.costNanoUsd, first?.priceVersion, first?.promptName], [undefined, "list", "p"]);
    assert.deepEqual([first?.outcomeUnknown, second?.outcomeUnknown, second?.startedAt], [false, true, undefined]);
    assert.deepEqual([third?.finishedAt, third?.estimatedCostNanoUsd], [undefined, 3n]);
  });
});
