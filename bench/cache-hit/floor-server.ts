// The least a gRPC server in Node can do for this call: node:http2 by hand and the same codec, no pipeline. It decodes
// each request and encodes the answer anew, which it is given once, in base64: floor-server.ts <answer>.
import { createServer } from "node:http2";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CompleteRequestSchema, CompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";

const answer = fromBinary(CompleteResponseSchema, Buffer.from(process.argv[2] ?? "", "base64"));
const headBytes = 5;

const server = createServer();
server.on("stream", (stream) => {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    fromBinary(CompleteRequestSchema, Buffer.concat(chunks).subarray(headBytes));
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(frame(toBinary(CompleteResponseSchema, answer)));
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify(server.address())));

function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(headBytes + message.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, headBytes);
  return framed;
}
