import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { Server } from "node:net";
import { Readable } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BadRequestSchema, QuotaFailureSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { AttemptCause } from "../../gen/sluice/v1/attempt_pb.ts";
import { BudgetPeriod, BudgetScope } from "../../gen/sluice/v1/budget_pb.ts";
import {
  BudgetExceededDetailSchema,
  CacheMissDetailSchema,
  ContentFilteredDetailSchema,
  ContentSide,
  ContextOverflowDetailSchema,
  IdempotencyConflictDetailSchema,
  InterruptedDetailSchema,
  LoadDetailSchema,
  ModelFailureDetailSchema,
  ParseFailureDetailSchema,
  ProviderMisconfiguredDetailSchema,
  ProviderProblem,
  RateLimitDetailSchema,
  RateLimitScope,
  SemanticFailureDetailSchema,
  SlowReaderDetailSchema,
  Stage,
} from "../../gen/sluice/v1/error_detail_pb.ts";
import { ErrorReason } from "../../gen/sluice/v1/error_reason_pb.ts";
import { StreamCompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { runCli } from "../../src/cli/program.ts";
import { Code, failureOf, startFakeServer } from "./fake-server.ts";

/** Runs `sluice complete` in this process. */
async function complete(url: string, ...args: readonly string[]) {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    write(text: string) {
      written[name] += text;
    },
  });
  const terminal = { stdin: Readable.from([]), stdout: output("stdout"), stderr: output("stderr"), env: {} };
  const code = await runCli(["complete", "summarize", "--server", url, ...args], terminal);
  return { code, ...written };
}

/** What `sluice complete` prints for a failure with these details. */
async function failWith(reason: string, details: Parameters<typeof failureOf>[3], ...args: readonly string[]) {
  const server = await startFakeServer([failureOf(reason, Code.Unavailable, "what happened", details)]);
  try {
    return await complete(server.url, ...args);
  } finally {
    await server.close();
  }
}

function detail<Desc extends DescMessage>(desc: Desc, value: MessageInitShape<Desc>) {
  return { desc, value };
}

const attempts = [
  {
    number: 1,
    model: "fast",
    cause: AttemptCause.FIRST,
    latencyMs: 12n,
    errorReason: ErrorReason.RATE_LIMITED,
    httpStatus: 429,
    usage: { promptTokens: 10n, completionTokens: 0n },
    costNanoUsd: 2_000n,
  },
  {
    number: 2,
    model: "smart",
    cause: AttemptCause.OUTPUT_LIMIT,
    waitMs: 300n,
    latencyMs: 40n,
    usage: { promptTokens: 10n, completionTokens: 5n },
    costNanoUsd: 3_000n,
  },
];
const attemptLines = [
  "  attempt 1: fast (first), RATE_LIMITED with HTTP 429, 12 ms",
  "  attempt 2: smart (output limit), answered, 40 ms, after a wait of 300 ms",
];

describe("what the command line prints of a failure", () => {
  const cases: readonly [reason: string, details: Parameters<typeof failureOf>[3], lines: readonly string[]][] = [
    [
      "CONTEXT_OVERFLOW",
      [
        detail(ContextOverflowDetailSchema, {
          promptTokens: 9000n,
          reservedOutputTokens: 4096n,
          windowTokens: 8192n,
          largestPart: "context",
          largestPartTokens: 7000n,
          reportedByProvider: true,
        }),
      ],
      [
        "  largest part: context, 7000 tokens",
        "  9000 prompt tokens + 4096 reserved for the answer, in a window of 8192",
        "  found by the provider, not by Sluice's own count",
      ],
    ],
    [
      "CONTENT_FILTERED",
      [detail(ContentFilteredDetailSchema, { side: ContentSide.OUTPUT, category: "violence", model: "fast" })],
      ["  refused: the answer, category violence, by fast"],
    ],
    [
      "PROVIDER_MISCONFIGURED",
      [
        detail(ProviderMisconfiguredDetailSchema, {
          problem: ProviderProblem.AUTHENTICATION,
          provider: "main",
          model: "fast",
          httpStatus: 401,
        }),
      ],
      ["  provider main, model fast: it does not know the key (HTTP 401)"],
    ],
    ["MODEL_UNAVAILABLE", [detail(ModelFailureDetailSchema, { attempts })], attemptLines],
    [
      "DEADLINE_EXCEEDED",
      [detail(InterruptedDetailSchema, { stage: Stage.CALL_MODEL, attempts })],
      ["  reached: call model", ...attemptLines],
    ],
    [
      "PARSE_FAILURE",
      [
        detail(ParseFailureDetailSchema, {
          violations: [
            { path: "/vessel", rule: "type", expected: "string", got: "array" },
            { path: "", rule: "json", expected: "JSON", got: "the end" },
          ],
          truncated: true,
          excerpt: '{"vessel":\n[',
          attempts,
        }),
      ],
      [
        "  /vessel: expected string, got array",
        "  the answer: expected JSON, got the end",
        "  the answer ran into its number of output tokens; allow more with generation.max_output_tokens or the prompt's max_output_tokens",
        '  the answer begins: {"vessel":',
        "    [",
        ...attemptLines,
        "  spent: 20 prompt + 5 completion tokens, $0.000005",
      ],
    ],
    [
      "SEMANTIC_FAILURE",
      [
        detail(SemanticFailureDetailSchema, {
          violations: [
            { rule: "output.total > 0", message: "a bill has a total" },
            { rule: "output.a == 1", message: "" },
          ],
          excerpt: '{"total":0}',
          attempts,
        }),
      ],
      [
        "  a bill has a total (output.total > 0)",
        "  does not hold (output.a == 1)",
        '  the answer begins: {"total":0}',
        ...attemptLines,
        "  spent: 20 prompt + 5 completion tokens, $0.000005",
      ],
    ],
    ["SLOW_READER", [detail(SlowReaderDetailSchema, { limitMs: 1000n })], ["  not read for 1000 ms"]],
    [
      "RATE_LIMITED",
      [
        detail(RateLimitDetailSchema, { provider: "main", model: "fast", unit: "tokens", limit: 100n, requested: 7n }),
        detail(RetryInfoSchema, { retryDelay: { seconds: 60n } }),
      ],
      ["  provider main, model fast: 100 tokens, this call asked for 7", "wait: 60000 ms"],
    ],
    [
      "QUOTA_EXHAUSTED",
      [detail(QuotaFailureSchema, { violations: [{ subject: "main/fast", description: "no quota left" }] })],
      ["  main/fast: no quota left"],
    ],
    ["OVERLOADED", [detail(LoadDetailSchema, { resource: "calls", limit: 4n })], ["  calls: at most 4"]],
    ["CACHE_MISS", [detail(CacheMissDetailSchema, { key: "k1" })], ["  key: k1"]],
    [
      "IDEMPOTENCY_CONFLICT",
      [
        detail(IdempotencyConflictDetailSchema, {
          idempotencyKey: "order-4711",
          firstCallId: "c-1",
          firstStartedAt: timestampFromMs(Date.UTC(2026, 2, 1)),
        }),
      ],
      [
        "  order-4711 belongs to call c-1 since 2026-03-01 00:00:00 UTC",
        "fix: Give each piece of work an --idempotency-key of its own; a repetition must ask the same.",
      ],
    ],
    [
      "BUDGET_EXCEEDED",
      [
        detail(BudgetExceededDetailSchema, {
          scope: BudgetScope.USER,
          name: "u-1",
          period: BudgetPeriod.DAY,
          limitNanoUsd: 5_000_000_000n,
          spentNanoUsd: 4_900_000_000n,
          reservedNanoUsd: 50_000_000n,
          requestedNanoUsd: 120_000_000n,
          resetTime: timestampFromMs(Date.UTC(2026, 0, 2)),
        }),
      ],
      [
        "  user u-1: $4.90 of $5.00 for the day spent, $0.05 held back for calls under way",
        "  this call may cost up to $0.12",
        "  begins anew at 2026-01-02T00:00:00.000Z",
        "fix: `sluice budgets` shows what is left; wait until the budget begins anew, or ask the operator to raise it.",
      ],
    ],
    [
      "REQUEST_EXCEEDS_RATE_WINDOW",
      [
        detail(RateLimitDetailSchema, {
          scope: RateLimitScope.CALLER,
          model: "fast",
          unit: "tokens",
          limit: 1_000n,
          requested: 1_001n,
          callerScope: BudgetScope.KEY,
          callerName: "billing",
        }),
      ],
      ["  key billing: 1000 tokens a minute, this call asked for 1001"],
    ],
    [
      "INVALID_REQUEST",
      [detail(BadRequestSchema, { fieldViolations: [{ field: "", description: "must be JSON" }] })],
      ["  the request: must be JSON"],
    ],
  ];
  for (const [reason, details, lines] of cases) {
    it(`tells the details of ${reason}`, async () => {
      const { stdout, stderr } = await failWith(reason, details);
      assert.equal(stdout, "");
      const [first, ...rest] = stderr.split("\n");
      assert.equal(first, `${reason}: what happened`);
      assert.deepEqual(rest.slice(0, lines.length), lines);
    });
  }

  it("shows no control characters of the server's words", async () => {
    const { stderr } = await failWith("CACHE_MISS", [detail(CacheMissDetailSchema, { key: "a\u001b[31m" })]);
    assert.match(stderr, /a\uFFFD\[31m/);
  });
});

describe("what the command line prints of a failure with --json", () => {
  it("is the whole status on standard error, and nothing on standard output", async () => {
    const { code, stdout, stderr } = await failWith(
      "RATE_LIMITED",
      [
        detail(RateLimitDetailSchema, { provider: "main\u009b", model: "fast", limit: 100n }),
        detail(RetryInfoSchema, { retryDelay: { seconds: 60n } }),
      ],
      "--json",
    );
    assert.deepEqual([code, stdout], [3, ""]);
    assert.ok(!stderr.includes("\u009b"));
    assert.deepEqual(JSON.parse(stderr), {
      code: 14,
      message: "what happened",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "RATE_LIMITED",
          domain: "sluice.v1",
          metadata: { call_id: "c-1" },
        },
        {
          "@type": "type.googleapis.com/sluice.v1.RateLimitDetail",
          provider: "main\u009b",
          model: "fast",
          limit: "100",
        },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "60s" },
      ],
    });
  });

  it("keeps details of a type that came later as bytes", async () => {
    const { stderr } = await failWith("NEW", [detail(StreamCompleteResponseSchema, {})], "--json");
    assert.deepEqual(JSON.parse(stderr).details[1], {
      "@type": "type.googleapis.com/sluice.v1.StreamCompleteResponse",
      value: "",
    });
  });
});

describe("a connection without an answer", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, "close");
    }
  });

  async function portOf(server: Server): Promise<number> {
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    return address.port;
  }

  /** A server that begins the stream and ends it as it is told. */
  const startsAnswer = (end: (response: ServerResponse) => void) =>
    createServer((request, response) => {
      request.resume();
      const message = create(StreamCompleteResponseSchema, {
        event: { case: "textDelta", value: { sequenceNumber: 1n, text: "half" } },
      });
      const bytes = toBinary(StreamCompleteResponseSchema, message);
      response.writeHead(200, { "content-type": "application/connect+proto", connection: "close" });
      response.write(Buffer.concat([Buffer.of(0, 0, 0, 0, bytes.length), bytes]), () => end(response));
    });

  const endings: readonly [kind: string, end: (response: ServerResponse) => void][] = [
    ["cuts it", (response) => response.destroy()],
    ["ends it without its last message", (response) => response.end()],
  ];
  for (const [kind, end] of endings) {
    it(`exits with 3 and says that the connection broke where the server ${kind} in the middle of a call`, async () => {
      const url = `http://127.0.0.1:${await portOf(startsAnswer(end))}`;
      const { code, stdout, stderr } = await complete(url);
      assert.deepEqual([code, stdout], [3, ""]);
      assert.equal(
        stderr,
        `the connection to ${url} broke before the answer was whole; what was shown so far is void\n`,
      );
    });
  }

  it("exits with 3 where the server hangs up before it answers", async () => {
    const port = await portOf(createServer((request) => request.socket.destroy()));
    const { code, stderr } = await complete(`http://127.0.0.1:${port}`);
    assert.equal(code, 3);
    assert.match(stderr, /^the connection to http:\/\/127\.0\.0\.1:\d+ broke /);
  });

  it("exits with 2 and names the address with http:// where the server speaks cleartext", async () => {
    const port = await portOf(createServer());
    const { code, stderr } = await complete(`https://127.0.0.1:${port}`);
    assert.equal(code, 2);
    assert.equal(
      stderr,
      `the server at https://127.0.0.1:${port} does not speak TLS: use --server http://127.0.0.1:${port}\n`,
    );
  });

  describe("of a server with TLS", () => {
    const pem = (name: string) => readFileSync(`test/fixtures/tls/localhost.${name}.pem`);
    const tlsServer = () => {
      const server = createTlsServer({ cert: pem("cert"), key: pem("key") }, (socket) => socket.on("error", () => {}));
      return server.on("tlsClientError", (_, socket) => socket.destroy());
    };

    it("exits with 2 and names the address with https://", async () => {
      const port = await portOf(tlsServer());
      const { code, stderr } = await complete(`http://127.0.0.1:${port}`);
      assert.equal(code, 2);
      assert.equal(
        stderr,
        `the server at http://127.0.0.1:${port} speaks TLS: use --server https://127.0.0.1:${port}\n`,
      );
    });

    it("exits with 2 and says what to do about a certificate that is not trusted", async () => {
      const { code, stderr } = await complete(`https://localhost:${await portOf(tlsServer())}`);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^the certificate of https:\/\/localhost:\d+ is not trusted: .+\nNODE_EXTRA_CA_CERTS names /,
      );
    });
  });
});
