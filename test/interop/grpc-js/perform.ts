import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  isMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, Metadata, type StatusObject } from "@grpc/grpc-js";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { Health, HealthCheckResponse_ServingStatusSchema } from "../../../gen/health/v1/health_pb.ts";
import { UnknownNameDetailSchema } from "../../../gen/sluice/v1/error_detail_pb.ts";
import { PipelineService } from "../../../gen/sluice/v1/pipeline_service_pb.ts";
import { errorDetails } from "../../support/grpc-caller.ts";
import { steps } from "../steps.ts";

const { complete, streamComplete } = PipelineService.method;
/** grpc-js's number of gzip. */
const GZIP = 2;

interface Ended<Output extends DescMessage> {
  readonly messages: readonly MessageShape<Output>[];
  readonly header: Metadata;
  readonly status: StatusObject;
}

type Calling = Pick<ClientDuplexStream<unknown, unknown>, "cancel">;

/** Does every step with grpc-js. */
export async function perform(address: string): Promise<ReadonlyMap<string, unknown>> {
  const client = new Client(address, credentials.createInsecure());
  const packing = new Client(address, credentials.createInsecure(), {
    "grpc.default_compression_algorithm": GZIP,
  });
  try {
    const given = new Map<string, unknown>();
    for (const [name, step] of Object.entries(performers)) given.set(name, await step(client, packing));
    return given;
  } finally {
    client.close();
    packing.close();
  }
}

const performers: Readonly<Record<keyof typeof steps, (client: Client, packing: Client) => Promise<unknown>>> = {
  async unary(client) {
    const { status, messages } = await call(client, complete, asks("unary"));
    return { code: status.code, text: messages[0]?.completion?.text };
  },
  async stream(client) {
    const { status, messages } = await call(client, streamComplete, asks("stream"));
    const numbers = messages.map(({ event }) => (event.case === "textDelta" ? Number(event.value.sequenceNumber) : 0));
    return {
      code: status.code,
      messages: messages.length,
      in_order: numbers.every((number, index) => number === index + 1),
    };
  },
  async deadline(client) {
    const { status } = await call(client, complete, asks("deadline"), { timeoutMs: steps.deadline.timeout_ms });
    return { code: status.code, reason: reasonIn(status) };
  },
  async cancel_unary(client) {
    const { status } = await call(client, complete, asks("cancel_unary"), {
      onStart: (stream) => void setTimeout(() => stream.cancel(), steps.cancel_unary.after_ms),
    });
    return { code: status.code };
  },
  async cancel_stream(client) {
    const { status, messages } = await call(client, streamComplete, asks("cancel_stream"), {
      onMessage: (stream, count) => count === steps.cancel_stream.after_messages && stream.cancel(),
    });
    return { code: status.code, messages: messages.length };
  },
  async error(client) {
    const { status } = await call(client, complete, asks("error"));
    const unknown = errorDetails(status.metadata).find((detail) => isMessage(detail, UnknownNameDetailSchema));
    const [pushback] = status.metadata.get("grpc-retry-pushback-ms");
    return { code: status.code, reason: reasonIn(status), nearest: unknown?.nearest, pushback };
  },
  async message(client) {
    const { status } = await call(client, complete, asks("message"));
    return { code: status.code, message: status.details };
  },
  async metadata(client) {
    const metadata = metadataOf(steps.metadata.metadata);
    for (const [name, bytes] of Object.entries(steps.metadata.binary)) metadata.set(name, Buffer.from(bytes));
    const { status, header } = await call(client, complete, asks("metadata"), { metadata });
    const [binary] = status.metadata.get("echo-trailer-bin");
    return {
      code: status.code,
      header: header.get("echo-header-a")[0],
      trailer: status.metadata.get("echo-trailer-a")[0],
      binary: [...Buffer.from(binary ?? "")],
    };
  },
  async gzip(_, packing) {
    const { status, header, messages } = await call(packing, complete, asks("gzip"), {
      metadata: metadataOf(steps.gzip.metadata),
    });
    const seen: [string, string][] = JSON.parse(Buffer.from(String(header.get("seen")[0]), "base64").toString());
    return {
      code: status.code,
      text: messages[0]?.completion?.text,
      encoding: new Map(seen).get("grpc-encoding"),
    };
  },
  async large(client) {
    return { code: (await call(client, complete, asks("large"))).status.code };
  },
  async unimplemented(client) {
    return { code: (await call(client, { ...complete, name: "Nope" }, {})).status.code };
  },
  async reflection(client) {
    const { messages } = await call(client, ServerReflection.method.serverReflectionInfo, {
      messageRequest: { case: "listServices", value: "" },
    });
    const services = messages.flatMap(({ messageResponse: { case: kind, value } }) =>
      kind === "listServicesResponse" ? value.service.map(({ name }) => name) : [],
    );
    return { services: services.filter((name) => name.startsWith("sluice.")).sort() };
  },
  async watch(client) {
    const { status, messages } = await call(
      client,
      Health.method.watch,
      {},
      {
        onMessage: (_, count) => void (count === 1 && call(client, complete, asks("watch"))),
      },
    );
    const names = messages.map(({ status: number }) => HealthCheckResponse_ServingStatusSchema.value[number]?.name);
    return { code: status.code, statuses: names };
  },
};

function asks(
  name: {
    [Name in keyof typeof steps]: (typeof steps)[Name] extends { asks: string } ? Name : never;
  }[keyof typeof steps],
) {
  return { input: { model: steps[name].asks } };
}

function metadataOf(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}

function reasonIn({ metadata }: StatusObject): string | undefined {
  return errorDetails(metadata).find((detail) => isMessage(detail, ErrorInfoSchema))?.reason;
}

interface CallOptions {
  readonly timeoutMs?: number;
  readonly metadata?: Metadata;
  readonly onStart?: (stream: Calling) => void;
  readonly onMessage?: (stream: Calling, count: number) => void;
}

/** A call with one request, whatever the kind of its method: on the wire they are all alike. */
function call<Input extends DescMessage, Output extends DescMessage>(
  client: Client,
  method: DescMethod & { readonly input: Input; readonly output: Output },
  request: MessageInitShape<Input>,
  { timeoutMs, metadata = new Metadata(), onStart, onMessage }: CallOptions = {},
): Promise<Ended<Output>> {
  return new Promise((resolve) => {
    const stream = client.makeBidiStreamRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: MessageShape<Input>) => Buffer.from(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      metadata,
      timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
    );
    const messages: MessageShape<Output>[] = [];
    let header = new Metadata();
    stream.on("metadata", (received: Metadata) => {
      header = received;
    });
    stream.on("data", (message: MessageShape<Output>) => {
      messages.push(message);
      onMessage?.(stream, messages.length);
    });
    stream.on("error", () => {});
    stream.on("status", (status: StatusObject) => resolve({ messages, header, status }));
    stream.write(create(method.input, request));
    stream.end();
    onStart?.(stream);
  });
}
