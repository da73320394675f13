import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  credentials,
  type Deadline,
  Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import type { Server } from "../../../src/rpc/server.ts";

/** How a call ended, as grpc-js saw it. */
export interface Outcome<Desc extends DescMessage> {
  readonly code: number;
  readonly message: string;
  readonly messages: readonly MessageShape<Desc>[];
  readonly header: Metadata;
  readonly trailer: Metadata;
}

export interface CallOptions {
  readonly deadline?: Deadline;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly onMessage?: (cancel: () => void) => void;
  readonly onStart?: (cancel: () => void) => void;
}

/** An independent gRPC client, as other languages have it. */
export class GrpcClient {
  readonly #client: Client;

  constructor(
    server: Pick<Server, "host" | "port">,
    options: ClientOptions = {},
    security: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.#client = new Client(`${server.host}:${server.port}`, security, options);
  }

  close(): void {
    this.#client.close();
  }

  /** Calls a method with one request, and waits for the end. */
  call<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethod & { readonly input: Input; readonly output: Output },
    request: MessageInitShape<Input>,
    options: CallOptions = {},
  ): Promise<Outcome<Output>> {
    return this.callRaw(method, toBinary(method.input, create(method.input, request)), options);
  }

  /** The same, with the bytes of the request. */
  callRaw<Output extends DescMessage>(
    method: DescMethod & { readonly output: Output },
    request: Uint8Array,
    options: CallOptions = {},
  ): Promise<Outcome<Output>> {
    return new Promise((resolve) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
      const messages: MessageShape<Output>[] = [];
      let header = new Metadata();
      const stream = this.#client.makeServerStreamRequest(
        `/${method.parent.typeName}/${method.name}`,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        request,
        metadata,
        options.deadline === undefined ? {} : { deadline: options.deadline },
      );
      const cancel = () => stream.cancel();
      stream.on("metadata", (received: Metadata) => {
        header = received;
      });
      stream.on("data", (message: MessageShape<Output>) => {
        messages.push(message);
        options.onMessage?.(cancel);
      });
      stream.on("error", (_: ServiceError) => {});
      stream.on("status", ({ code, details, metadata: trailer }: StatusObject) => {
        resolve({ code, message: details, messages, header, trailer });
      });
      options.onStart?.(cancel);
    });
  }
}

/** The details of a failed call: the reason, the call id, the fields, and whatever else there is by type. */
export function detailsOf(trailer: Metadata) {
  const [bytes] = trailer.get("grpc-status-details-bin");
  const status = typeof bytes === "object" ? fromBinary(StatusSchema, bytes) : create(StatusSchema);
  const find = <Desc extends DescMessage>(schema: Desc) =>
    status.details.map((any) => anyUnpack(any, schema)).find((message) => message !== undefined);
  const info = find(ErrorInfoSchema);
  return {
    find,
    reason: info?.reason,
    callId: info?.metadata.call_id,
    fields: find(BadRequestSchema)?.fieldViolations.map(({ field }) => field) ?? [],
  };
}
