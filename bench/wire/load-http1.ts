// Calls streams by Connect over HTTP/1.1, each on a connection of its own, as browsers do: load-http1.ts <LoadSettings as
// JSON>. Prints what it saw as JSON.
import { envelope } from "./envelope.ts";
import { Http1Connection } from "./http1-connection.ts";
import { loadSettings } from "./load-settings.ts";
import { apiKey, requestBytes, streamPath } from "./messages.ts";
import { callAtPace } from "./paces.ts";

/** Connections that are opened at once: fewer than a listening socket keeps. */
const OPENING = 100;

const settings = loadSettings();
const { port } = settings;
const body = envelope(requestBytes);
const head = [
  `POST ${streamPath} HTTP/1.1`,
  `host: 127.0.0.1:${port}`,
  `origin: http://127.0.0.1:${port}`,
  "content-type: application/connect+proto",
  "connect-protocol-version: 1",
  "connect-timeout-ms: 500000",
  `authorization: Bearer ${apiKey}`,
  `content-length: ${body.length}`,
];
const request = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);

const connections: Http1Connection[] = [];
while (connections.length < settings.connections) {
  const length = Math.min(OPENING, settings.connections - connections.length);
  connections.push(...(await Promise.all(Array.from({ length }, () => Http1Connection.open("127.0.0.1", port)))));
}
let next = 0;
const load = await callAtPace((onEnd) => {
  connections[next]?.start(request, onEnd);
  next += 1;
}, settings);
for (const connection of connections) connection.close();
console.log(JSON.stringify(load));
