import type { Socket } from "node:net";

/** RFC 9113, 3.4: what a client of HTTP/2 sends first. No HTTP/1.1 request begins so. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/**
 * Reads what a connection sends first and hands the connection over, those bytes put back, once they decide between
 * HTTP/1.1 and HTTP/2. A connection that has not decided after `timeoutMs` is closed.
 */
export function sniffPreface(socket: Socket, timeoutMs: number, handOver: (protocol: "http1" | "http2") => void): void {
  // Bytes are kept here and put back only once: after `unshift` of a part no `readable` would tell of the rest.
  let first: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const stop = () => {
    clearTimeout(timer);
    socket.off("readable", onReadable).off("end", onEnd).off("close", stop);
  };
  const onEnd = () => socket.destroy();
  const onReadable = () => {
    for (let chunk = read(socket); chunk !== undefined; chunk = read(socket)) first = Buffer.concat([first, chunk]);
    const protocol = protocolOf(first);
    if (!protocol) return;
    stop();
    socket.unshift(first);
    handOver(protocol);
  };
  socket.on("readable", onReadable).on("end", onEnd).on("close", stop);
}

function read(socket: Socket): Buffer | undefined {
  const chunk: unknown = socket.read();
  return Buffer.isBuffer(chunk) ? chunk : undefined;
}

/** `undefined` while the bytes may still become either. */
function protocolOf(first: Buffer): "http1" | "http2" | undefined {
  const length = Math.min(first.length, HTTP2_PREFACE.length);
  if (!first.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length))) return "http1";
  return length === HTTP2_PREFACE.length ? "http2" : undefined;
}
