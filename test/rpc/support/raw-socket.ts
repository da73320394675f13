import { connect, type Socket } from "node:net";

/** A connection whose bytes are written by hand. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything received so far, one character a byte. */
  received(): string;
  /** Resolves with everything received when the peer has closed the connection. */
  readonly closed: Promise<string>;
}

const open = new Set<Socket>();

export function closeRawConnections(): void {
  for (const socket of open) socket.destroy();
  open.clear();
}

export function rawConnection({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    open.add(socket);
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
    });
    const closed = new Promise<string>((done) => socket.on("close", () => done(received)));
    socket.on("error", reject);
    socket.on("connect", () => resolve({ socket, received: () => received, closed }));
  });
}

/** One frame of HTTP/2 (RFC 9113, 4.1). */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
export const SETTINGS = frame(4, 0, 0);
