// The least that a gRPC server in Node can do: node:http2 by hand and the same codec. It decodes each request, encodes
// each answer and waits for its readers, but asks for no key, has no limits or deadlines, and validates nothing.
import { createServer, type ServerHttp2Stream } from "node:http2";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CompleteRequestSchema,
  CompleteResponseSchema,
  StreamCompleteRequestSchema,
} from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { envelope, PREFIX_BYTES } from "./envelope.ts";
import { eventWriter } from "./floor-events.ts";
import { completion, streamPath, unaryPath } from "./messages.ts";
import { serverSettings } from "./server-settings.ts";

const writeEvents = eventWriter(serverSettings());

const server = createServer();
server.on("stream", (stream, headers) => {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    const message = Buffer.concat(chunks).subarray(PREFIX_BYTES);
    if (headers[":path"] === unaryPath) answer(stream, message);
    else if (headers[":path"] === streamPath) answerByStream(stream, message);
    else stream.respond({ ":status": 404 }, { endStream: true });
  });
  // A caller that leaves is no event.
  stream.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify(server.address())));

function answer(stream: ServerHttp2Stream, message: Uint8Array): void {
  fromBinary(CompleteRequestSchema, message);
  respond(stream);
  stream.end(envelope(toBinary(CompleteResponseSchema, { $typeName: "sluice.v1.CompleteResponse", completion })));
}

function answerByStream(stream: ServerHttp2Stream, message: Uint8Array): void {
  fromBinary(StreamCompleteRequestSchema, message);
  respond(stream);
  writeEvents(stream, () => stream.end());
}

function respond(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
}
