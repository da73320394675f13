import type { EventEmitter } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import {
  create,
  createRegistry,
  type DescMessage,
  type DescMethod,
  fromBinary,
  isMessage,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import {
  type CallOptions,
  Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  type Metadata,
  type ServiceError,
  type StatusObject,
  type status,
} from "@grpc/grpc-js";
import {
  ErrorInfoSchema,
  file_google_rpc_error_details,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.ts";
import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { file_sluice_v1_error_detail } from "../../gen/sluice/v1/error_detail_pb.ts";
import {
  type CompleteRequestSchema,
  PipelineService,
  type StreamCompleteResponse,
} from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { errorDetails } from "../support/grpc-caller.ts";

const registry = createRegistry(file_google_rpc_error_details, file_sluice_v1_error_detail);

/** How a call failed, as the caller sees it. */
export interface CallFailure {
  readonly code: status;
  /** Of the ErrorInfo; empty where there is none, as where the caller's own library ended the call. */
  readonly reason: string;
  /** The status message and all details, as text. */
  readonly detailText: string;
  readonly retryAfterMs?: number;
  /** The details as JSON, by the name of their type. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What came of one call: a completion or a failure, never both, never neither. */
export interface CallResult {
  readonly completion?: Completion;
  readonly failure?: CallFailure;
  /** Events of a stream, in order; empty for a unary call. */
  readonly events: readonly StreamCompleteResponse[];
  readonly totalMs: number;
  /** Everything that was said on the wire about the call, besides its messages. */
  readonly metadataText: string;
}

export interface CallSettings {
  /** Default: none. */
  readonly deadlineMs?: number;
  /** Between the setting of the deadline and the sending. */
  readonly pauseMs?: number;
  /** The caller leaves when it is aborted. */
  readonly signal?: AbortSignal;
}

type Request = MessageInitShape<typeof CompleteRequestSchema>;

/** Calls by an independent gRPC client. Failures are results, since every test is about them. */
export class PipelineCaller {
  readonly #client: Client;

  constructor(address: string) {
    // Each caller has its own connection: one test must not reuse that of another.
    this.#client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  }

  complete(input: Request["input"], settings: CallSettings = {}): Promise<CallResult> {
    const { method, path, serialize, deserialize } = codec(PipelineService.method.complete);
    return this.#run(settings, (options, done) => {
      const request = create(method.input, { input });
      const call = this.#client.makeUnaryRequest(path, serialize, deserialize, request, options, (error, response) => {
        done(error ?? undefined, response?.completion);
      });
      return { call, events: [] };
    });
  }

  stream(input: Request["input"], settings: CallSettings = {}): Promise<CallResult> {
    const { method, path, serialize, deserialize } = codec(PipelineService.method.streamComplete);
    return this.#run(settings, (options, done) => {
      const events: StreamCompleteResponse[] = [];
      const call = this.#client.makeServerStreamRequest(
        path,
        serialize,
        deserialize,
        create(method.input, { input }),
        options,
      );
      let failure: ServiceError | undefined;
      call.on("data", (event: StreamCompleteResponse) => events.push(event));
      call.on("error", (error: ServiceError) => {
        failure = error;
      });
      // After the status nothing more comes, and all events that came before it were read.
      call.on("close", () => done(failure, finished(events)));
      return { call, events };
    });
  }

  close(): void {
    this.#client.close();
  }

  async #run(
    { deadlineMs, pauseMs, signal }: CallSettings,
    start: (options: CallOptions, done: (error?: ServiceError, completion?: Completion) => void) => Started,
  ): Promise<CallResult> {
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    if (pauseMs !== undefined) await pause(pauseMs);
    const startedAt = performance.now();
    const said: Metadata[] = [];
    const { promise, resolve } = Promise.withResolvers<{ error?: ServiceError; completion?: Completion }>();
    const { call, events } = start(options, (error, completion) =>
      resolve({ ...(error && { error }), ...(completion && { completion }) }),
    );
    const emitter: EventEmitter = call;
    emitter.on("metadata", (metadata: Metadata) => said.push(metadata));
    emitter.on("status", ({ metadata }: StatusObject) => said.push(metadata));
    const leave = () => call.cancel();
    signal?.addEventListener("abort", leave, { once: true });
    const { error, completion } = await promise;
    const totalMs = performance.now() - startedAt;
    signal?.removeEventListener("abort", leave);
    const metadataText = said.map(textOf).join("\n");
    if (error) return { failure: failureOf(error), events, totalMs, metadataText };
    return { ...(completion && { completion }), events, totalMs, metadataText };
  }
}

interface Started {
  readonly call: ClientUnaryCall | ClientReadableStream<StreamCompleteResponse>;
  readonly events: readonly StreamCompleteResponse[];
}

function codec<I extends DescMessage, O extends DescMessage>(method: DescMethod & { input: I; output: O }) {
  return {
    method,
    path: `/${method.parent.typeName}/${method.name}`,
    serialize: (message: Parameters<typeof toBinary<I>>[1]) => Buffer.from(toBinary(method.input, message)),
    deserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
  };
}

function finished(events: readonly StreamCompleteResponse[]): Completion | undefined {
  const last = events.at(-1)?.event;
  return last?.case === "finished" ? last.value.completion : undefined;
}

function failureOf(error: ServiceError): CallFailure {
  const messages = errorDetails(error.metadata);
  const details: Record<string, unknown> = {};
  let reason = "";
  let retryAfterMs: number | undefined;
  for (const message of messages) {
    const descriptor = registry.getMessage(message.$typeName);
    if (descriptor) details[message.$typeName] = toJson(descriptor, message, { registry });
    if (isMessage(message, ErrorInfoSchema)) reason = message.reason;
    if (isMessage(message, RetryInfoSchema) && message.retryDelay) {
      retryAfterMs = Number(message.retryDelay.seconds) * 1_000 + message.retryDelay.nanos / 1e6;
    }
  }
  const detailText = `${error.details}\n${JSON.stringify(details)}`;
  return { code: error.code, reason, detailText, details, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function textOf(metadata: Metadata): string {
  const entries = Object.entries(metadata.toHttp2Headers());
  return entries
    .flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value} ${unbased(name, String(value))}`))
    .join("\n");
}

/** Binary values go in base64, which would hide a word in them. */
function unbased(name: string, value: string): string {
  return name.endsWith("-bin") ? Buffer.from(value, "base64").toString("latin1") : "";
}
