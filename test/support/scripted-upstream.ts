import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Chooser, chooserOf } from "./scripted-upstream/choose.ts";
import { play } from "./scripted-upstream/play.ts";
import { takeRequest } from "./scripted-upstream/requests.ts";
import type { ReceivedCall, Script } from "./scripted-upstream/steps.ts";
import { fillTemplates } from "./scripted-upstream/templates.ts";

export * from "./scripted-upstream/builders.ts";
export type * from "./scripted-upstream/steps.ts";

export interface ScriptedUpstream {
  /** Such as `http://127.0.0.1:40123`; the API's base URL is `${url}/v1`. */
  readonly url: string;
  /** The complete requests that came, in order. */
  readonly calls: readonly ReceivedCall[];
  /** What a second listener received, to which scripts can redirect with `{{second_origin}}`. */
  readonly strayRequests: readonly string[];
  readonly secondOrigin: string;
  /** Connections that are open now. */
  readonly openConnections: number;
  /** Resolves when so many requests have arrived. */
  received(count: number): Promise<void>;
  /** As when its process is killed: every connection is reset, and the port refuses new ones. */
  kill(): Promise<void>;
  /** It listens again, on the same port. */
  revive(): Promise<void>;
  close(): Promise<void>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Starts an HTTP/1.1 server on raw sockets that plays a script on 127.0.0.1: every fault that a model's endpoint can
 * show, down to the byte at which a connection breaks, and what it saw of the client.
 */
export async function startScriptedUpstream(script: Script): Promise<ScriptedUpstream> {
  const chooser = chooserOf(script);
  const calls: ReceivedCall[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const sockets = new Set<Socket>();
  const second = await startSecondOrigin(sockets);
  const fill = (text: string) => fillTemplates(text, Date.now(), second.origin);
  const onCall = (call: ReceivedCall) => {
    calls.push(call);
    for (const waiter of waiting) if (calls.length >= waiter.count) waiter.resolve();
  };
  const server = createServer((socket) => {
    track(socket, sockets);
    serve(socket, chooser, fill, onCall);
  });
  const port = await listen(server, 0);
  const reopen = await refuseAtFirst(server, port, chooser);
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    strayRequests: second.requests,
    secondOrigin: second.origin,
    get openConnections() {
      return sockets.size;
    },
    received: (count) =>
      calls.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    async kill() {
      const done = closed(server);
      for (const socket of sockets) socket.resetAndDestroy();
      await done;
    },
    async revive() {
      await listen(server, port);
    },
    async close() {
      clearTimeout(reopen);
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed(server), closed(second.server)]);
    },
  };
}

function serve(
  socket: Socket,
  chooser: Chooser,
  fill: (text: string) => string,
  onCall: (call: ReceivedCall) => void,
): void {
  const upcoming = chooser.upcoming();
  if (upcoming?.action === "reset_on_accept") {
    chooser.skip();
    socket.resetAndDestroy();
    return;
  }
  if (upcoming?.action === "tls_mismatch") {
    socket.once("data", () => void play(socket, upcoming, fill, () => {}));
    return;
  }
  const open: { onClose(): void }[] = [];
  socket.once("close", () => {
    for (const call of open) call.onClose();
  });
  let bytes: Buffer = Buffer.alloc(0);
  socket.on("data", (data) => {
    bytes = Buffer.concat([bytes, data]);
    for (let request = takeRequest(bytes); request; request = takeRequest(bytes)) {
      bytes = request.rest;
      const received = receivedCall(request);
      open.push(received);
      onCall(received.call);
      void play(socket, chooser.take(received.call), fill, received.onEnd);
    }
  });
}

interface CallInProgress {
  readonly call: ReceivedCall;
  onEnd(): void;
  onClose(): void;
}

function receivedCall({ head, headers, body }: Pick<ReceivedCall, "head" | "headers" | "body">): CallInProgress {
  const closed = Promise.withResolvers<void>();
  const startedAt = performance.now();
  const call: Mutable<ReceivedCall> = { head, headers, body, json: jsonOf(body), startedAt, closed: closed.promise };
  return {
    call,
    onEnd() {
      call.endedAt = performance.now();
    },
    onClose() {
      call.closedAt = performance.now();
      closed.resolve();
    },
  };
}

function jsonOf(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function startSecondOrigin(
  sockets: Set<Socket>,
): Promise<{ server: Server; origin: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((socket) => {
    track(socket, sockets);
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      requests.push(text);
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    });
  });
  const port = await listen(server, 0);
  return { server, origin: `http://127.0.0.1:${port}`, requests };
}

/** A first step `refuse` closes the port again, for ever or for its time. */
async function refuseAtFirst(server: Server, port: number, chooser: Chooser): Promise<NodeJS.Timeout | undefined> {
  const first = chooser.upcoming();
  if (first?.action !== "refuse") return undefined;
  chooser.skip();
  await closed(server);
  return first.for_ms === undefined ? undefined : setTimeout(() => server.listen(port, "127.0.0.1"), first.for_ms);
}

function track(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  // Clients that vanish are what many scripts are about.
  socket.on("error", () => {});
  socket.once("close", () => sockets.delete(socket));
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => (server.listening ? server.close(() => resolve()) : resolve()));
}
