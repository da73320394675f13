import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { ServerLimits } from "./limits.ts";

/** An HTTP/1.1 server for connections that another server accepted. Its time limits hold all the same. */
export function createHttp1Server(
  limits: ServerLimits,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      // Node asks for headersTimeout <= requestTimeout, which counts from the first byte of the headers.
      requestTimeout: limits.headersTimeoutMs + limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.headersTimeoutMs / 4)),
    },
    onRequest,
  );
  // A server that does not listen itself checks no time limit until it believes that it does.
  server.emit("listening");
  return server;
}
