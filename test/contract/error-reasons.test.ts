import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { create, createRegistry, fromBinary, type MessageInitShape, toBinary, toJson } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../gen/health/v1/health_pb.ts";
import { CacheMode, type CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CorpusService } from "../../gen/sluice/v1/corpus_service_pb.ts";
import { file_sluice_v1_error_detail } from "../../gen/sluice/v1/error_detail_pb.ts";
import { ErrorReasonSchema } from "../../gen/sluice/v1/error_reason_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { UsageService } from "../../gen/sluice/v1/usage_service_pb.ts";
import { statusJson } from "../../src/rpc/status.ts";
import { GrpcCaller, isServiceError } from "../support/grpc-caller.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { chunk, events, startScriptedUpstream } from "../support/scripted-upstream.ts";
import { documentedExamples, normalised, withoutWait } from "./documented-examples.ts";

const registry = createRegistry(file_google_rpc_error_details, file_sluice_v1_error_detail);
const examples = documentedExamples();

type Input = MessageInitShape<typeof CompletionInputSchema>;

const ask = (model: string, rest: Input = {}): Input => ({
  model,
  messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "When does the Skarv sail?" } }] }],
  ...rest,
});
const json = '{"type":"object","required":["vessel"],"properties":{"vessel":{"type":"string"}}}';
const asJson = { output: { format: { case: "json" as const, value: { schema: json } } } };

/** A streaming call by gRPC, whose answer is not read before somebody resumes the stream. */
function callUnread(session: ClientHttp2Session, input: Input): ClientHttp2Stream {
  const { input: schema, parent, name } = PipelineService.method.streamComplete;
  const stream = session.request({
    ":path": `/${parent.typeName}/${name}`,
    ":method": "POST",
    "content-type": "application/grpc+proto",
    te: "trailers",
  });
  const message = toBinary(schema, create(schema, { input }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([head, message]));
  return stream;
}

const checks = [{ rule: 'output.vessel.startsWith("MV ")', message: "the vessel is not named with its prefix" }];
const asChecked = {
  messages: [{ role: Role.USER, content: [{ content: { case: "text" as const, value: "Vessel: Skarv" } }] }],
  output: { format: { case: "json" as const, value: { schema: json, checks } } },
};

describe("the documented example of", function () {
  this.timeout(60_000);
  let open: RunningServer;
  let locked: RunningServer;
  let caller: GrpcCaller;

  before(async () => {
    [open, locked] = await Promise.all([
      startServer(),
      startServer({
        config: {
          auth: { api_keys: [{ id: "k", tenant: "acme", sha256: "0".repeat(64) }] },
        },
      }),
    ]);
    caller = new GrpcCaller(open.address);
  });

  after(async () => {
    caller.close();
    await Promise.all([open.stop(), locked.stop()]);
  });

  /** The status of a failed call as JSON, compared with the contract's example. */
  async function shouldMatch(reason: string, call: Promise<unknown>, compared = normalised): Promise<void> {
    const error = await call.then(
      () => assert.fail("the call succeeded"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isServiceError(error), String(error));
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    assert.ok(Buffer.isBuffer(bytes), `no details: ${error.message}`);
    const status = toJson(StatusSchema, fromBinary(StatusSchema, bytes), { registry });
    assert.deepEqual(compared(status), compared(examples.get(reason)));
    assert.equal(error.metadata.get("grpc-retry-pushback-ms").length, 1);
  }

  const complete = (input: Input, by = caller, options: { timeoutMs?: number } = {}) =>
    by.unary(PipelineService.method.complete, { input }, options);

  const produced: Record<string, () => Promise<unknown>> = {
    INVALID_REQUEST: () => complete(ask("!", { generation: { temperature: 3 } })),
    UNKNOWN_PROMPT: () => complete({ prompt: { name: "sumarize" } }),
    UNKNOWN_MODEL: () => complete(ask("sandbox/extrct")),
    RATE_LIMITED: () => complete(ask("sandbox/rate-limited")),
    REQUEST_EXCEEDS_RATE_WINDOW: () => complete(ask("sandbox/request-too-large")),
    QUOTA_EXHAUSTED: () => complete(ask("sandbox/quota")),
    CONTEXT_OVERFLOW: () => complete(ask("sandbox/overflow")),
    PARSE_FAILURE: () => complete(ask("sandbox/wrong-shape", asJson)),
    SEMANTIC_FAILURE: () => complete(ask("sandbox/extract", asChecked)),
    CONTENT_FILTERED: () => complete(ask("sandbox/filtered-input")),
    PROVIDER_MISCONFIGURED: () => complete(ask("sandbox/unauthorized")),
    MODEL_UNAVAILABLE: () => complete(ask("sandbox/down")),
    MODEL_TIMEOUT: () => complete(ask("sandbox/silent")),
    STREAM_INTERRUPTED: () => complete(ask("sandbox/cut")),
    CACHE_MISS: () => complete(ask("sandbox/echo", { cache: { mode: CacheMode.ONLY_IF_CACHED } })),
    DEADLINE_EXCEEDED: () => complete(ask("sandbox/silent"), caller, { timeoutMs: 1_000 }),
  };
  for (const [reason, call] of Object.entries(produced)) {
    it(`${reason} is what the service answers`, () => shouldMatch(reason, call()));
  }

  it("those of collections are what the service answers", async () => {
    const { method } = CorpusService;
    const put = (language: string) => ({
      collection: "handbook",
      documents: [{ id: "dogs.md", content: { case: "markdown" as const, value: "Dogs are welcome." } }],
      language,
    });
    await caller.unary(method.putDocuments, put(""), { timeoutMs: 60_000 });
    await shouldMatch("COLLECTION_MISMATCH", caller.unary(method.putDocuments, put("german")));
    const retrieval = { collection: "handbok", query: "dogs" };
    await shouldMatch("UNKNOWN_COLLECTION", caller.unary(PipelineService.method.retrieve, { retrieval }));
    const unknown = { collection: "handbook", documentId: "terms.md" };
    await shouldMatch("UNKNOWN_DOCUMENT", caller.unary(method.getDocument, unknown));
  }).timeout(60_000);

  it("UNAUTHENTICATED is what the service answers", async () => {
    const stranger = new GrpcCaller(locked.address);
    await shouldMatch("UNAUTHENTICATED", complete(ask("sandbox/echo"), stranger)).finally(() => stranger.close());
  });

  it("PERMISSION_DENIED is what the service answers", async () => {
    const rebound = new GrpcCaller(open.address, { "grpc.default_authority": "attacker.example" });
    await shouldMatch("PERMISSION_DENIED", complete(ask("sandbox/echo"), rebound)).finally(() => rebound.close());
  });

  it("BUDGET_EXCEEDED is what the service answers", async () => {
    const limited = await startServer({
      config: {
        budgets: [{ scope: "user", per: "day", limit_usd: 1 }],
        prices: {
          override: [
            {
              model: "sandbox/echo",
              prompt_usd_per_million: 0,
              completion_usd_per_million: 0,
              usd_per_thousand_requests: 600,
            },
          ],
        },
      },
    });
    const spender = new GrpcCaller(limited.address);
    const input = ask("sandbox/echo", { cache: { mode: CacheMode.BYPASS }, attribution: { user: "u-1" } });
    try {
      await complete(input, spender);
      // The wait is until midnight.
      await shouldMatch("BUDGET_EXCEEDED", complete(input, spender), withoutWait);
    } finally {
      spender.close();
      await limited.stop();
    }
  });

  it("OVERLOADED is what the service answers", async () => {
    const small = await startServer({ config: { limits: { max_calls: 1 } } });
    const busy = new GrpcCaller(small.address);
    try {
      const first = busy.serverStream(PipelineService.method.streamComplete, { input: ask("sandbox/slow") });
      await first.next();
      await shouldMatch("OVERLOADED", complete(ask("sandbox/echo"), busy));
      await first.return(undefined);
    } finally {
      busy.close();
      await small.stop();
    }
  });

  it("STORE_UNAVAILABLE is what the service answers", async () => {
    // Nothing listens there, so that records stay in a spool which is soon full.
    const full = await startServer({ config: { database_url: "postgres://127.0.0.1:9/none", spool: { max_mb: 1 } } });
    const payer = new GrpcCaller(full.address);
    const payUntilRefused = async () => {
      const input = ask("sandbox/quota", { cache: { mode: CacheMode.BYPASS }, attribution: { user: "u".repeat(128) } });
      for (let calls = 0; calls < 5_000; calls += 1) {
        await complete(input, payer).catch((error: unknown) => {
          // RESOURCE_EXHAUSTED is the model's own answer; anything else is what we wait for.
          if (!isServiceError(error) || error.code !== 8) throw error;
        });
      }
    };
    try {
      await shouldMatch("STORE_UNAVAILABLE", payUntilRefused());
      // A service that refuses paid calls is no place to send them.
      let health = await payer.unary(Health.method.check, {});
      while (health.status !== Serving.NOT_SERVING) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        health = await payer.unary(Health.method.check, {});
      }
    } finally {
      payer.close();
      await full.stop();
    }
  });

  it("SLOW_READER is what the service answers", async () => {
    const endless = events([{ ...chunk({ content: "a".repeat(16_384) }), repeat: 1_000 }]);
    const upstream = await startScriptedUpstream(endless);
    const impatient = await startServer({
      config: {
        limits: { slow_reader_ms: 1_000 },
        providers: { main: { base_url: `${upstream.url}/v1` } },
        models: { big: { provider: "main", model: "big", context_tokens: 8_192, max_output_tokens: 4_096 } },
      },
    });
    // Not grpc-js, which reads ahead whatever its caller does.
    const session = connect(impatient.url);
    try {
      const stream = callUnread(session, ask("big"));
      // The stream is given up while nobody reads it; the reader hears of it when it goes on.
      while (!impatient.output().includes('"error_reason":"SLOW_READER"')) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      stream.resume();
      const [trailers] = await once(stream, "trailers");
      const status = fromBinary(StatusSchema, Buffer.from(String(trailers["grpc-status-details-bin"]), "base64"));
      assert.deepEqual(normalised(toJson(StatusSchema, status, { registry })), normalised(examples.get("SLOW_READER")));
      assert.equal(trailers["grpc-retry-pushback-ms"], "-1");
    } finally {
      session.destroy();
      await Promise.all([impatient.stop(), upstream.close()]);
    }
  });

  it("IDEMPOTENCY_CONFLICT is what the service answers", async () => {
    const keyed = { idempotencyKey: "order-4711" };
    const first = () => complete(ask("sandbox/echo", keyed));
    // A new embedded database takes seconds to open, and calls with a key wait for it within bounds.
    const whenOpen = (error: unknown): Promise<unknown> => {
      // STORE_UNAVAILABLE is UNAVAILABLE.
      if (!isServiceError(error) || error.code !== 14) throw error;
      return first().catch(whenOpen);
    };
    await first().catch(whenOpen);
    await shouldMatch("IDEMPOTENCY_CONFLICT", complete(ask("sandbox/extract", keyed)));
  });

  it("UNKNOWN_CALL is what the service answers", async () => {
    const ask = () => caller.unary(UsageService.method.getCall, { callId: "01890000-0000-7000-8000-000000000000" });
    // A new embedded database takes seconds to open; until then the store is away.
    const whenOpen = async (error: unknown): Promise<unknown> => {
      if (!isServiceError(error) || error.code !== 14) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return ask().catch(whenOpen);
    };
    await shouldMatch("UNKNOWN_CALL", ask().catch(whenOpen));
  });

  // Nobody is left to hear the first, and the second is what no request can bring about.
  it("CANCELLED and INTERNAL is what the error table makes", () => {
    const id = "00000000-0000-0000-0000-000000000000";
    const cancelled = statusJson({ reason: "CANCELLED", stage: 4, attempts: [] }, id);
    assert.deepEqual(normalised(cancelled), normalised(examples.get("CANCELLED")));
    assert.deepEqual(statusJson({ reason: "INTERNAL" }, id), examples.get("INTERNAL"));
  });

  it("every reason exists, and nothing else has one", () => {
    const reasons = ErrorReasonSchema.values.filter(({ number }) => number !== 0).map(({ name }) => name);
    assert.deepEqual(
      [...examples.keys()],
      reasons.map((name) => name.replace("ERROR_REASON_", "")),
    );
  });
});
