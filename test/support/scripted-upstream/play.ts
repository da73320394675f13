import type { Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { bodyBytes, chunked, cut, streamWrites } from "./bytes.ts";
import type { Drip, ScriptedFault, ScriptedResponse, ScriptedStep } from "./steps.ts";

/** RST before the last bytes are read would drop them at the client; they get this long to arrive. */
const BEFORE_RESET_MS = 20;

/** Plays one step to one request. `fill` fills in templates; `onEnd` is called when the last byte is written. */
export async function play(
  socket: Socket,
  step: ScriptedStep,
  fill: (text: string) => string,
  onEnd: () => void,
): Promise<void> {
  if (step.delay_ms) await pause(step.delay_ms);
  if (step.action !== undefined) return playFault(socket, step);
  await playResponse(socket, step, fill);
  onEnd();
  await playEnd(socket, step);
}

async function playFault(socket: Socket, step: ScriptedFault): Promise<void> {
  switch (step.action) {
    case "hang":
      return;
    case "reset_on_accept":
    case "reset_after_request":
      socket.resetAndDestroy();
      return;
    case "raw":
      await write(socket, Buffer.from(step.bytes_base64 ?? "", "base64"));
      break;
    case "tls_mismatch":
      await write(socket, Buffer.from("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"));
      break;
    case "refuse":
    case "close_after_request":
      break;
  }
  socket.end();
}

async function playResponse(socket: Socket, step: ScriptedResponse, fill: (text: string) => string): Promise<void> {
  socket.setNoDelay(true);
  const body = bodyBytes(step, fill);
  await writeDripping(socket, headBytes(step, body.length, fill), step.drip_headers);
  if (step.infinite_body) return writeInfinite(socket, step.infinite_body);
  if (step.sse) return writeStream(socket, step);
  await writeDripping(socket, body.subarray(0, step.send_bytes ?? body.length), step.drip_body);
}

function headBytes(step: ScriptedResponse, bodyLength: number, fill: (text: string) => string): Buffer {
  const { status = 200 } = step;
  const isChunked = step.sse !== undefined || step.infinite_body !== undefined;
  const padding = Array.from({ length: (step.header_padding_bytes ?? 0) / 1_000 }, (_, i) => [
    `x-pad-${i}`,
    "p".repeat(980),
  ]);
  const headers = [
    ...Object.entries(step.headers ?? {}).map(([name, value]) => [name, fill(value)]),
    ...padding,
    ...(isChunked
      ? [["transfer-encoding", "chunked"]]
      : status === 204
        ? []
        : [["content-length", step.content_length ?? bodyLength]]),
    ["connection", step.keep_alive ? "keep-alive" : "close"],
  ];
  return Buffer.from(
    `HTTP/1.1 ${status} Scripted\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
  );
}

async function writeStream(socket: Socket, step: ScriptedResponse): Promise<void> {
  for (const { bytes, pauseMs } of streamWrites(step)) {
    if (!isOpen(socket)) return;
    await write(socket, chunked(bytes));
    if (pauseMs > 0) await pause(pauseMs);
    else if (step.split !== "all") await nextTurn();
  }
}

async function writeInfinite(socket: Socket, body: NonNullable<ScriptedResponse["infinite_body"]>): Promise<void> {
  const bytes = chunked(Buffer.from(body.chunk.repeat(body.chunk_repeat)));
  for (let sent = 0; sent < body.stop_after_bytes && isOpen(socket); sent += bytes.length) {
    await write(socket, bytes);
    await nextTurn();
  }
}

async function playEnd(socket: Socket, step: ScriptedResponse): Promise<void> {
  switch (step.end) {
    case "hang":
      return;
    case "reset":
      await pause(BEFORE_RESET_MS);
      socket.resetAndDestroy();
      return;
    case "fin":
      socket.end();
      return;
  }
  if (step.sse) await write(socket, Buffer.from("0\r\n\r\n"));
  if (!step.keep_alive || step.infinite_body) socket.end();
  else if (step.close_after_ms !== undefined) setTimeout(() => socket.destroy(), step.close_after_ms).unref();
}

async function writeDripping(socket: Socket, bytes: Buffer, drip: Drip | undefined): Promise<void> {
  if (!drip) return write(socket, bytes);
  for (const piece of cut(bytes, drip.bytes)) {
    if (!isOpen(socket)) return;
    await write(socket, piece);
    await pause(drip.every_ms);
  }
}

/** Resolves when the bytes are handed over, or at once when nobody is there to take them. */
function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (!isOpen(socket) || bytes.length === 0) return Promise.resolve();
  return new Promise((resolve) => socket.write(bytes, () => resolve()));
}

function isOpen(socket: Socket): boolean {
  return !socket.destroyed && socket.writable;
}
