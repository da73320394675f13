import {
  create,
  createRegistry,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Client, type ClientOptions, credentials, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { file_sluice_v1_error_detail } from "../../gen/sluice/v1/error_detail_pb.ts";

const details = createRegistry(file_google_rpc_error_details, file_sluice_v1_error_detail);

/** Calls by @grpc/grpc-js, the independent gRPC client, with the generated messages of this project. */
export class GrpcCaller {
  readonly #client: Client;

  /** `address` is host:port; the port speaks cleartext. */
  constructor(address: string, options: ClientOptions = {}) {
    this.#client = new Client(address, credentials.createInsecure(), options);
  }

  /** Rejects with a ServiceError where the call fails. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    { timeoutMs }: { timeoutMs?: number } = {},
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const { path, serialize, deserialize } = codec(method);
      const done = (error: ServiceError | null, output?: MessageShape<O>) =>
        output === undefined ? reject(error) : resolve(output);
      const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
      this.#client.makeUnaryRequest(path, serialize, deserialize, create(method.input, input), options, done);
    });
  }

  /** Throws a ServiceError where the stream ends with one. */
  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
  ): AsyncGenerator<MessageShape<O>> {
    const { path, serialize, deserialize } = codec(method);
    const call = this.#client.makeServerStreamRequest(path, serialize, deserialize, create(method.input, input));
    try {
      yield* call;
    } finally {
      call.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }
}

function codec<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O> | DescMethodServerStreaming<I, O>,
) {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    serialize: (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
    deserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
  };
}

/** Whether it is the error of a gRPC call. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "metadata" in error;
}

/** The messages in the details of a failed call that this project knows. */
export function errorDetails(metadata: Metadata): Message[] {
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(bytes)) return [];
  return fromBinary(StatusSchema, bytes).details.flatMap((detail) => anyUnpack(detail, details) ?? []);
}
