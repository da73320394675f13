import { once } from "node:events";
import { createServer } from "node:http";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import {
  CacheStatus,
  type Completion,
  type CompletionSchema,
  FinishReason,
} from "../../gen/sluice/v1/completion_pb.ts";
import { Circuit } from "../../gen/sluice/v1/model_pb.ts";
import { ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import {
  PipelineService,
  RestartCause,
  type StreamCompleteResponseSchema,
} from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { PromptService } from "../../gen/sluice/v1/prompt_service_pb.ts";

type CompletionInit = Exclude<MessageInitShape<typeof CompletionSchema>, Completion>;
type Event = MessageInitShape<typeof StreamCompleteResponseSchema>;

export interface FakeServer {
  readonly url: string;
  /** What was asked so far, oldest first. */
  readonly inputs: readonly CompletionInput[];
  readonly keys: readonly (string | null)[];
  /** The deadlines that calls came with, in milliseconds. */
  readonly deadlinesMs: readonly (string | null)[];
  close(): Promise<void>;
}

/** A server of the contract whose answers are written down, on a real socket. `events` may end in an error. */
export async function startFakeServer(events: readonly (Event | ConnectError)[]): Promise<FakeServer> {
  const inputs: CompletionInput[] = [];
  const keys: (string | null)[] = [];
  const deadlinesMs: (string | null)[] = [];
  const routes = (router: ConnectRouter) => {
    router.service(PipelineService, {
      async *streamComplete({ input }, context) {
        if (input !== undefined) inputs.push(input);
        keys.push(context.requestHeader.get("authorization"));
        deadlinesMs.push(context.requestHeader.get("connect-timeout-ms"));
        for (const event of events) {
          if (event instanceof ConnectError) throw event;
          yield event;
        }
      },
    });
    router.service(ModelService, { listModels: () => ({ models: [...realModels, sandboxModel] }) });
    router.service(PromptService, {
      listPrompts: ({ pageToken }) =>
        pageToken === ""
          ? { prompts: [{ latest: { name: "extract" }, versions: ["v2", "v1"], description: "a" }], nextPageToken: "2" }
          : { prompts: [{ latest: { name: "summarize" }, versions: ["v1"], description: "b\u001b[31m" }] },
    });
  };
  const server = createServer(connectNodeAdapter({ routes }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    inputs,
    keys,
    deadlinesMs,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const realModel = {
  name: "fast",
  provider: "main",
  providerModel: "gpt-5-mini",
  contextTokens: 400000n,
  maxOutputTokens: 16384n,
  fallbacks: ["other"],
  escalateTo: "smart",
  price: {
    promptNanoUsdPerMillionTokens: 250_000_000n,
    cachedPromptNanoUsdPerMillionTokens: 25_000_000n,
    completionNanoUsdPerMillionTokens: 2_000_000_000n,
    version: "test",
  },
  isDefault: true,
};

/** The same model in each state that it can be in. */
const realModels = [
  { ...realModel, state: { circuit: Circuit.CLOSED } },
  { ...realModel, name: "cooling", state: { circuit: Circuit.CLOSED, coolDownMs: 11_001n } },
  { ...realModel, name: "open", state: { circuit: Circuit.OPEN, probeAfterMs: 3000n } },
  { ...realModel, name: "probed", state: { circuit: Circuit.HALF_OPEN } },
];

const sandboxModel = {
  name: "sandbox/extract",
  provider: "sandbox",
  providerModel: "sandbox/extract",
  contextTokens: 32768n,
  maxOutputTokens: 4096n,
  synthetic: true,
  description: "Quotes.",
};

/** The events of a whole answer: its pieces, then the completion. */
export function answerOf(...pieces: readonly string[]): Event[] {
  return [
    { event: { case: "started", value: { callId: "c-1", model: "fast" } } },
    ...pieces.map((text, index): Event => delta(index + 1, text)),
    finished(pieces.join("")),
  ];
}

export function delta(sequenceNumber: number, text: string): Event {
  return { event: { case: "textDelta", value: { sequenceNumber: BigInt(sequenceNumber), text } } };
}

export function restarted(): Event {
  return { event: { case: "restarted", value: { cause: RestartCause.FALLBACK, model: "other" } } };
}

export function finished(text: string, rest: CompletionInit = {}): Event {
  const completion = {
    callId: "c-1",
    text,
    finishReason: FinishReason.STOP,
    model: "fast",
    providerModel: "gpt-5-mini",
    prompt: { name: "summarize", version: "v2" },
    usage: { promptTokens: 812n, completionTokens: 120n },
    costNanoUsd: 443_000n,
    cacheStatus: CacheStatus.MISS,
    attempts: [{ number: 1 }],
    ...rest,
  };
  return { event: { case: "finished", value: { completion } } };
}

/** A failure as the service sends it. */
export function failureOf(
  reason: string,
  code: Code,
  message: string,
  details: ConstructorParameters<typeof ConnectError>[3] = [],
): ConnectError {
  const info = { desc: ErrorInfoSchema, value: { reason, domain: "sluice.v1", metadata: { call_id: "c-1" } } };
  return new ConnectError(message, code, undefined, [info, ...details]);
}

export { Code };
