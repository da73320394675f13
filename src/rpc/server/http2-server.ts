import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { Log } from "../../core/log.ts";
import type { ServerLimits } from "./limits.ts";

/** All messages of a connection share this window; the protocol's default of 64 KiB would make uploads wait for each other. */
const CONNECTION_WINDOW_BYTES = 1024 * 1024;

interface SessionState {
  streams: number;
  /** When the last stream ended, or the session began. */
  idleSinceMs: number;
  /** When the last ping was sent or answered. */
  pingedMs: number;
  isPinging: boolean;
}

/** An HTTP/2 server for connections that another server accepted, with the limits that node:http2 has not. */
export interface Http2Connections {
  accept(socket: Socket): void;
  /** Tells every connection to start no more streams (GOAWAY) and closes each when its streams are over. */
  goAway(): void;
  /** Stops watching over connections. */
  stop(): void;
}

export interface Http2Handlers {
  /** Asked first, with the bare stream. True: it is served. */
  readonly onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;
  /** Serves every other request. */
  readonly onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
}

export function createHttp2Connections(limits: ServerLimits, log: Log, handlers: Http2Handlers): Http2Connections {
  const sessions = new Map<ServerHttp2Session, SessionState>();
  const server = createHttp2Server(limits, handlers);
  server.on("session", (session) => {
    watch(session, sessions);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.on("error", (error) => log.debug("http2_session_failed", { error }));
  });
  const sweep = setInterval(
    () => {
      const nowMs = performance.now();
      for (const [session, state] of sessions) check(session, state, limits, nowMs);
    },
    Math.max(20, Math.min(limits.idleTimeoutMs, limits.pingIntervalMs, limits.pingTimeoutMs) / 4),
  ).unref();
  return {
    accept: (socket) => void server.emit("connection", socket),
    goAway() {
      for (const session of sessions.keys()) session.close();
    },
    stop: () => clearInterval(sweep),
  };
}

function createHttp2Server(limits: ServerLimits, { onStream, onRequest }: Http2Handlers): Http2Server {
  // Never listens: makes requests and responses of the streams that it is handed.
  const requests = createServer(onRequest);
  const server = createServer({
    settings: { maxConcurrentStreams: limits.maxStreams, maxHeaderListSize: limits.headerBytes },
    streamResetBurst: limits.resetBurst,
    streamResetRate: limits.resetsPerSecond,
  });
  server.on("stream", (stream, headers, flags, rawHeaders) => {
    if (!onStream(stream, headers)) requests.emit("stream", stream, headers, flags, rawHeaders);
  });
  return server;
}

function watch(session: ServerHttp2Session, sessions: Map<ServerHttp2Session, SessionState>): void {
  const nowMs = performance.now();
  const state: SessionState = { streams: 0, idleSinceMs: nowMs, pingedMs: nowMs, isPinging: false };
  sessions.set(session, state);
  session.on("close", () => sessions.delete(session));
  session.on("stream", (stream) => {
    state.streams += 1;
    stream.on("close", () => {
      state.streams -= 1;
      state.idleSinceMs = performance.now();
    });
  });
}

/** A connection without streams is closed when it was idle for too long; one with streams is pinged. */
function check(session: ServerHttp2Session, state: SessionState, limits: ServerLimits, nowMs: number): void {
  if (session.destroyed) return;
  if (state.isPinging && nowMs - state.pingedMs > limits.pingTimeoutMs) session.destroy();
  else if (state.streams > 0) ping(session, state, limits, nowMs);
  else if (nowMs - state.idleSinceMs > limits.idleTimeoutMs) closeIdle(session, nowMs - state.idleSinceMs, limits);
}

function ping(session: ServerHttp2Session, state: SessionState, limits: ServerLimits, nowMs: number): void {
  if (state.isPinging || nowMs - state.pingedMs < limits.pingIntervalMs) return;
  state.isPinging = true;
  state.pingedMs = nowMs;
  session.ping(() => {
    state.isPinging = false;
    state.pingedMs = performance.now();
  });
}

/** GOAWAY first; a peer that does not take its leave within another idle time is cut off. */
function closeIdle(session: ServerHttp2Session, idleMs: number, limits: ServerLimits): void {
  if (!session.closed) session.close();
  else if (idleMs > 2 * limits.idleTimeoutMs) session.destroy();
}
