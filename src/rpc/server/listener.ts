import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Log } from "../../core/log.ts";
import type { ServerLimits } from "./limits.ts";
import { sniffPreface } from "./preface.ts";

/** Certificate chain, private key and, for mutual TLS, the authorities of client certificates; all PEM. */
export interface TlsOptions {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly clientCa?: string | Buffer;
}

export interface ListenerOptions {
  readonly limits: ServerLimits;
  readonly log: Log;
  readonly tls?: TlsOptions;
  readonly onHttp1: (socket: Socket) => void;
  readonly onHttp2: (socket: Socket) => void;
}

/** The one port: a net or TLS server that hands each connection to the protocol that its first bytes speak. */
export interface Listener {
  readonly server: Server;
  /** Open connections, undecided ones included. */
  readonly sockets: ReadonlySet<Socket>;
  /** Takes no more connections, and drops those that have not said yet what they speak. */
  stop(): void;
}

export function createListener(options: ListenerOptions): Listener {
  const { limits, log, tls } = options;
  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();
  const accept = (socket: Socket) => {
    undecided.add(socket);
    socket.on("close", () => undecided.delete(socket));
    sniffPreface(socket, limits.prefaceTimeoutMs, (protocol) => {
      undecided.delete(socket);
      if (protocol === "http2") options.onHttp2(socket);
      else options.onHttp1(socket);
    });
  };
  const server = tls ? createTlsListener(tls, limits, log, accept) : createServer({ noDelay: true }, accept);
  server.maxConnections = limits.maxConnections;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A peer that breaks its connection is no event; whoever uses the connection hears of its end.
    socket.on("error", () => {});
  });
  server.on("drop", () => log.warn("connection_refused", { limit: limits.maxConnections }));
  return {
    server,
    sockets,
    stop() {
      server.close();
      for (const socket of undecided) socket.destroy();
    },
  };
}

function createTlsListener(tls: TlsOptions, limits: ServerLimits, log: Log, accept: (socket: Socket) => void): Server {
  const server = createTlsServer({
    cert: tls.cert,
    key: tls.key,
    ...(tls.clientCa && { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
    ALPNProtocols: ["h2", "http/1.1"],
    // RFC 9113, 9.2: HTTP/2 needs TLS 1.2.
    minVersion: "TLSv1.2",
    handshakeTimeout: limits.prefaceTimeoutMs,
    noDelay: true,
  });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    accept(socket);
  });
  server.on("tlsClientError", (error, socket) => {
    log.debug("tls_handshake_failed", { error });
    // Node itself leaves the connection of a handshake that took too long open.
    socket.destroy();
  });
  return server;
}
