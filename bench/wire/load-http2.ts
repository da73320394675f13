// Calls by gRPC over HTTP/2: load-http2.ts <LoadSettings as JSON>. Prints what it saw as JSON.
import { envelope } from "./envelope.ts";
import { Http2Connection } from "./http2-connection.ts";
import { loadSettings } from "./load-settings.ts";
import { apiKey, requestBytes, streamPath, unaryPath } from "./messages.ts";
import { callAtPace } from "./paces.ts";

const settings = loadSettings();
const { port, kind } = settings;
const fields = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", kind === "unary" ? unaryPath : streamPath],
  [":authority", `127.0.0.1:${port}`],
  ["te", "trailers"],
  ["content-type", "application/grpc+proto"],
  ["user-agent", "grpc-bench/1"],
  ["grpc-timeout", "500S"],
  ["authorization", `Bearer ${apiKey}`],
] as const;
const body = envelope(requestBytes);

const connections = await Promise.all(
  Array.from({ length: settings.connections }, () => Http2Connection.open("127.0.0.1", port, { fields, body })),
);
let turn = 0;
const load = await callAtPace((onEnd) => {
  turn = (turn + 1) % connections.length;
  connections[turn]?.start(onEnd);
}, settings);
for (const connection of connections) connection.close();
console.log(JSON.stringify(load));
