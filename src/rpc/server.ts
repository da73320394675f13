import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { CallSetup } from "./call/call-setup.ts";
import type { HttpRequest, HttpResponse } from "./server/exchange.ts";
import { type Answerer, createFrontDoor, refuse } from "./server/front-door.ts";
import { createHostCheck } from "./server/hosts.ts";
import { createHttp1Server } from "./server/http1-server.ts";
import { createHttp2Connections } from "./server/http2-server.ts";
import { type ServerLimits, serverLimits } from "./server/limits.ts";
import { createListener, type TlsOptions } from "./server/listener.ts";
import { createOriginCheck } from "./server/origins.ts";
import { createRpcHandler } from "./server/rpc-handler.ts";
import { MethodTable } from "./wire/method-table.ts";
import { createNativeWire, type StreamTaker } from "./wire/native-wire.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Absent: cleartext. */
  readonly tls?: TlsOptions;
  /** Origins of web pages that may call besides our own. */
  readonly cors: readonly string[];
  /** Host names that requests may name besides loopback, where the server listens on loopback. */
  readonly hosts: readonly string[];
  readonly limits?: Partial<ServerLimits>;
  readonly calls: CallSetup;
  readonly routes: (router: ConnectRouter) => void;
  /** Run inside the call, in this order. Default: none. */
  readonly interceptors?: readonly Interceptor[];
  readonly clock: Clock;
  readonly log: Log;
  /** Who serves gRPC, and streams to browsers: our own path, or connect-node, which serves everything else. Default: `native`. */
  readonly wire?: "native" | "connect";
  /** Answer the paths that are no RPC, such as web pages. Asked in this order. Default: none. */
  readonly answerers?: readonly Answerer[];
}

export interface Server {
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /**
   * Takes no more connections and no more calls, and lets those under way finish. What is not finished after `graceMs`
   * is cut off: then `clean` is false.
   */
  drain(graceMs: number): Promise<{ readonly clean: boolean }>;
  /** Cuts everything off. May be called twice, and after `drain`. */
  close(): Promise<void>;
}

/**
 * Serves gRPC, gRPC-Web and Connect on one port, over HTTP/1.1 and HTTP/2, cleartext or TLS.
 * @throws the socket's error where the address cannot be listened on; RangeError for limits that are none.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const limits = serverLimits(options.limits);
  const { log } = options;
  const { openDoor, takeStream } = createDoor(options, limits);
  let isDraining = false;
  const onRequest = (request: HttpRequest, response: HttpResponse) => {
    if (isDraining && !("stream" in request)) response.setHeader("connection", "close");
    response.once("close", () => {
      // A connection that was busy when draining began is not kept for another request.
      if (isDraining) setImmediate(() => http1.closeIdleConnections());
    });
    openDoor(request, response);
  };
  const http1 = createHttp1Server(limits, onRequest);
  const http2 = createHttp2Connections(limits, log, { onStream: takeStream, onRequest });
  const { server, sockets, stop } = createListener({
    limits,
    log,
    tls: options.tls,
    onHttp1: (socket) => void http1.emit("connection", socket),
    onHttp2: (socket) => http2.accept(socket),
  });

  const release = () => {
    http2.stop();
    http1.close();
  };
  server.listen({ host: options.host, port: options.port });
  await once(server, "listening").catch((error: unknown) => {
    release();
    throw error;
  });
  const closed = once(server, "close").then(release);

  const cutOff = () => {
    stop();
    for (const socket of sockets) socket.destroy();
  };
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls ? "https" : "http"}://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`,
    host: options.host,
    port,
    async drain(graceMs) {
      isDraining = true;
      stop();
      http1.closeIdleConnections();
      http2.goAway();
      let clean = true;
      const timer = setTimeout(() => {
        clean = false;
        cutOff();
      }, graceMs);
      await closed;
      clearTimeout(timer);
      return { clean };
    },
    async close() {
      cutOff();
      await closed;
    },
  };
}

interface Door {
  readonly openDoor: (request: HttpRequest, response: HttpResponse) => void;
  /** The short way in for what needs none of the rest. */
  readonly takeStream: StreamTaker;
}

/** What every request goes through: host and origin, then the services, then what answers other paths. */
function createDoor(options: ServerOptions, limits: ServerLimits): Door {
  const { calls, log, wire = "native", interceptors = [] } = options;
  const ports = { clock: options.clock, refusals: calls.refusals };
  const isKnownHost = createHostCheck(options.host, options.hosts);
  const methods = new MethodTable(interceptors);
  const answerRpc = createRpcHandler({
    ...options,
    limits,
    interceptors,
    routes: (router) => options.routes(methods.recording(router)),
    refuse: (request, response, { rpc, status, failure }) =>
      refuse(ports, request, response, failure, {
        rpc,
        status,
        inJson: true,
        ...(status === 405 && { headers: { allow: "POST" } }),
      }),
  });
  const native = wire === "native" ? createNativeWire({ methods, isKnownHost, calls, limits, log }) : undefined;
  const openDoor = createFrontDoor({
    ...ports,
    isKnownHost,
    checkOrigin: createOriginCheck(options.cors),
    answerers: [...(native ? [native.answer] : []), answerRpc, ...(options.answerers ?? [])],
  });
  return { openDoor, takeStream: native?.takeStream ?? (() => false) };
}
