import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, type DescMessage, type DescMethod, fromBinary, isMessage, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, status as grpcStatus, Metadata, type ServiceError } from "@grpc/grpc-js";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { CacheMode, type CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { errorDetails } from "../../test/support/grpc-caller.ts";
import type { WeekTenant } from "./cast.ts";
import type { PlannedCall } from "./plan.ts";
import { WHOLE_TEXT } from "./upstream.ts";

/** What the caller of a call saw of it. */
export interface SeenCall {
  readonly planned: PlannedCall;
  /** When the service was told it is. */
  readonly atMs: number;
  /** Empty where the caller left before it was told. */
  readonly callId: string;
  /** UNSPECIFIED where there was no answer. */
  readonly status: CacheStatus;
  /** Empty where it did not fail; `NO_ANSWER` where nobody said. */
  readonly errorReason: string;
  /** As it was told; undefined is unknown. */
  readonly costNanoUsd?: bigint;
  readonly savedNanoUsd?: bigint;
}

type Input = MessageInitShape<typeof CompletionInputSchema>;

/** Calls of one tenant, by an independent gRPC client. */
export class WeekCaller {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor(address: string, { key }: WeekTenant) {
    this.#client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
    this.#metadata.set("authorization", `Bearer ${key}`);
  }

  close(): void {
    this.#client.close();
  }

  /** Any other method. */
  ask<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { input: I; output: O },
    request: MessageInitShape<I>,
  ) {
    const { path, serialize, deserialize } = codec(method);
    return new Promise<ReturnType<typeof deserialize>>((resolve, reject) => {
      const message = create(method.input, request);
      this.#client.makeUnaryRequest(path, serialize, deserialize, message, this.#metadata, (error, response) =>
        response === undefined ? reject(error) : resolve(response),
      );
    });
  }

  /** `left`: resolves when the caller is to leave. */
  complete(planned: PlannedCall, atMs: number, left?: Promise<void>): Promise<SeenCall> {
    return planned.isStream ? this.#stream(planned, atMs) : this.#unary(planned, atMs, left);
  }

  #unary(planned: PlannedCall, atMs: number, left?: Promise<void>): Promise<SeenCall> {
    const { path, serialize, deserialize, method } = codec(PipelineService.method.complete);
    return new Promise((resolve) => {
      let callId = "";
      const request = create(method.input, { input: inputOf(planned) });
      const call = this.#client.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        request,
        this.#metadata,
        (error, response) => resolve(seen({ planned, atMs, callId }, response?.completion, error)),
      );
      call.on("metadata", (metadata) => {
        callId = String(metadata.get("sluice-call-id")[0] ?? "");
      });
      void left?.then(() => call.cancel());
    });
  }

  #stream(planned: PlannedCall, atMs: number): Promise<SeenCall> {
    const { path, serialize, deserialize, method } = codec(PipelineService.method.streamComplete);
    const request = create(method.input, { input: inputOf(planned) });
    const call = this.#client.makeServerStreamRequest(path, serialize, deserialize, request, this.#metadata);
    return new Promise((resolve) => {
      let callId = "";
      let text = "";
      let completion: Completion | undefined;
      let failure: ServiceError | null = null;
      call.on("metadata", (metadata) => {
        callId = String(metadata.get("sluice-call-id")[0] ?? "");
      });
      call.on("data", ({ event }) => {
        if (event.case === "restarted") text = "";
        if (event.case === "textDelta") text += event.value.text;
        if (event.case === "finished") completion = event.value.completion;
        if (planned.question.kind === "left_stream" && text === WHOLE_TEXT) call.cancel();
      });
      call.on("error", (error: ServiceError) => {
        failure = error;
      });
      call.on("close", () => resolve(seen({ planned, atMs, callId }, completion, failure)));
    });
  }
}

function seen(
  call: Pick<SeenCall, "planned" | "atMs" | "callId">,
  completion: Completion | undefined,
  error: ServiceError | null,
): SeenCall {
  if (completion && !error) {
    const { cacheStatus: status, costNanoUsd, savedNanoUsd, callId } = completion;
    return { ...call, callId, status, errorReason: "", costNanoUsd, savedNanoUsd };
  }
  const info = error && errorDetails(error.metadata).find((detail) => isMessage(detail, ErrorInfoSchema));
  const callId = info?.metadata.call_id ?? call.callId;
  return { ...call, callId, status: CacheStatus.UNSPECIFIED, errorReason: info?.reason ?? ownReason(error) };
}

/** The reason of a call whose connection was lost before it was told how it ended. */
export const NO_ANSWER = "NO_ANSWER";

/** Why a call ended without a word of the service: its caller left, or the connection was lost. */
function ownReason(error: ServiceError | null): string {
  return error?.code === grpcStatus.CANCELLED ? "CANCELLED" : NO_ANSWER;
}

const SCHEMA = JSON.stringify({
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
  additionalProperties: false,
});

function inputOf({ question, feature, promptVersion, user, model, isBypass }: PlannedCall): Input {
  const value = `When does it sail? [q:${question.id}]`;
  const { kind } = question;
  const mode = kind === "only_cached" ? CacheMode.ONLY_IF_CACHED : isBypass ? CacheMode.BYPASS : CacheMode.DEFAULT;
  return {
    ...(promptVersion === ""
      ? { messages: [{ role: Role.USER, content: [{ content: { case: "text" as const, value } }] }] }
      : { prompt: { name: feature.name, version: promptVersion, variables: { text: value } } }),
    model,
    cache: { mode },
    attribution: { feature: feature.name, user },
    ...(question.isJson && { output: { format: { case: "json" as const, value: { schema: SCHEMA } } } }),
    ...(kind === "keyed" && { idempotencyKey: question.id }),
  };
}

function codec<I extends DescMessage, O extends DescMessage>(method: DescMethod & { input: I; output: O }) {
  return {
    method,
    path: `/${method.parent.typeName}/${method.name}`,
    serialize: (message: Parameters<typeof toBinary<I>>[1]) => Buffer.from(toBinary(method.input, message)),
    deserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
  };
}
