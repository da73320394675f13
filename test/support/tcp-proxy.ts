import { createServer, type Server, Socket } from "node:net";

/** A direction stops reading while it holds this much. */
const MAX_HELD_BYTES = 1_048_576;

/** A loopback TCP proxy in front of a server: a network that tests can make slow, mute or broken. */
export interface TcpProxy {
  /** Where clients connect, on 127.0.0.1. It stays the same. */
  readonly port: number;
  /** Passes on, in both directions, what arrives from now on only after `ms`; 0 (the start) passes it on at once. */
  delay(ms: number): void;
  /** Passes on nothing, neither data nor ends. Connections stay open, and new ones are accepted and stay mute. */
  stall(): void;
  /** Ends `stall`: what was held back is passed on. */
  resume(): void;
  /** Resets all connections. New ones are accepted. */
  cut(): void;
  /** Refuses new connections. Those that are open stay. */
  refuse(): void;
  /** Ends `refuse`. */
  accept(): Promise<void>;
  /** Connections of clients: those open now, and all since the start. */
  connections(): { readonly open: number; readonly total: number };
  /** Resets all connections and stops. May be called more than once. */
  close(): Promise<void>;
}

/** What all connections of a proxy share. */
interface Weather {
  delayMs: number;
  stalled: boolean;
}

/** One way of one connection. `pump` passes on what is due. */
interface Direction {
  pump(): void;
  stop(): void;
}

interface Link {
  client: Socket;
  upstream: Socket;
  directions: Direction[];
}

/** Starts a proxy in front of `targetPort` on `targetHost` (default 127.0.0.1). The server need not be there yet. */
export async function startTcpProxy(targetPort: number, targetHost = "127.0.0.1"): Promise<TcpProxy> {
  const weather: Weather = { delayMs: 0, stalled: false };
  const links = new Set<Link>();
  let total = 0;

  function join(client: Socket): void {
    total++;
    const upstream = new Socket({ allowHalfOpen: true });
    const link = { client, upstream, directions: [relay(client, upstream, weather), relay(upstream, client, weather)] };
    links.add(link);
    const forget = () => void (client.closed && upstream.closed && links.delete(link));
    client.once("close", forget);
    upstream.once("close", forget);
    upstream.setNoDelay(true).connect(targetPort, targetHost);
  }

  const listen = async (port: number): Promise<Server> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, join);
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
    return server;
  };
  let server: Server | undefined = await listen(0);
  const port = portOf(server);

  const pumpAll = () => {
    for (const link of links) for (const direction of link.directions) direction.pump();
  };
  const cut = () => {
    for (const { client, upstream, directions } of links) {
      for (const direction of directions) direction.stop();
      reset(client);
      reset(upstream);
    }
    links.clear();
  };
  const refuse = () => {
    server?.close();
    server = undefined;
  };
  return {
    port,
    delay: (ms) => {
      weather.delayMs = ms;
    },
    stall: () => {
      weather.stalled = true;
    },
    resume: () => {
      weather.stalled = false;
      pumpAll();
    },
    cut,
    refuse,
    accept: async () => {
      server ??= await listen(port);
    },
    connections: () => ({ open: [...links].filter(({ client }) => !client.closed).length, total }),
    close: async () => {
      const closing = server;
      const closed = new Promise<void>((resolve) => (closing ? closing.once("close", () => resolve()) : resolve()));
      refuse();
      cut();
      await closed;
    },
  };
}

/** What one direction holds back: bytes, the peer's end, or that the peer is gone. */
interface Held {
  dueMs: number;
  what: Buffer | "end" | "reset";
}

function relay(from: Socket, to: Socket, weather: Weather): Direction {
  const held: Held[] = [];
  let heldBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function pump(): void {
    clearTimeout(timer);
    for (let first = held[0]; first && !weather.stalled; first = held[0]) {
      const waitMs = first.dueMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(pump, Math.ceil(waitMs));
        break;
      }
      if (first.what instanceof Buffer && to.writableNeedDrain) break;
      held.shift();
      passOn(first.what);
    }
    if (heldBytes < MAX_HELD_BYTES) from.resume();
  }

  function passOn(what: Held["what"]): void {
    if (what === "end") to.end();
    else if (what === "reset") reset(to);
    else {
      heldBytes -= what.byteLength;
      if (to.writable) to.write(what);
    }
  }

  function hold(what: Held["what"]): void {
    held.push({ dueMs: performance.now() + weather.delayMs, what });
    if (what instanceof Buffer) heldBytes += what.byteLength;
    if (heldBytes >= MAX_HELD_BYTES) from.pause();
    pump();
  }

  let ended = false;
  from.on("data", hold);
  from.on("end", () => {
    ended = true;
    hold("end");
  });
  // A close without an end is a reset; after an end both ways there is nothing left to say.
  from.on("error", () => {});
  from.on("close", (hadError: boolean) => {
    if (hadError || !ended) hold("reset");
  });
  to.on("drain", pump);
  return {
    pump,
    stop: () => {
      clearTimeout(timer);
      held.length = 0;
    },
  };
}

/** A socket that is just sending its end cannot be reset: Node.js would leave it open and then never exit. */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return address.port;
}
