// The least that a server in Node can do for Connect's streams over HTTP/1.1: node:http by hand and the same codec.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { fromBinary } from "@bufbuild/protobuf";
import { StreamCompleteRequestSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { END_FLAG, envelope, PREFIX_BYTES } from "./envelope.ts";
import { eventWriter } from "./floor-events.ts";
import { streamPath } from "./messages.ts";
import { serverSettings } from "./server-settings.ts";

const writeEvents = eventWriter(serverSettings());
const end = envelope(Buffer.from("{}"), END_FLAG);

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (request.url !== streamPath) return void response.writeHead(404).end();
    fromBinary(StreamCompleteRequestSchema, Buffer.concat(chunks).subarray(PREFIX_BYTES));
    response.writeHead(200, { "content-type": "application/connect+proto" });
    writeEvents(response, () => response.end(end));
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify(server.address())));
