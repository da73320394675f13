import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { until } from "../rpc/support/in-memory.ts";
import { type Answer, decodeAnswer, type Received } from "./answer.ts";
import { decodeBrowserAnswer } from "./browser-answer.ts";
import { complete, type WireCase } from "./case.ts";
import { type Exchange, type Progress, startProgress, take } from "./exchange.ts";
import { playHttp1 } from "./http1-recording.ts";
import { contentTypeOf } from "./speech.ts";
import type { WireServer } from "./wire-server.ts";

/** Everything that a case brought about on one wire, on both sides of it. */
export interface Recording extends Answer {
  /** Whether the connection still answers pings. */
  readonly connection: "open" | "closed";
  /** What the handler saw, in order. */
  readonly handler: readonly string[];
  /** What operators are told: refusals, bugs and cut answers. */
  readonly log: readonly string[];
}

const END_STREAM = 1;
const TOLD = new Set(["call_refused", "internal_error", "response_cut"]);

/** Plays a case on a connection of its own. Throws where it is not over after some seconds. */
export async function record(wireCase: WireCase, server: WireServer): Promise<Recording> {
  server.journal.length = 0;
  server.log.lines.length = 0;
  const { speech } = wireCase;
  const played = speech?.http === "HTTP/1.1" ? await playHttp1(wireCase, server) : await playHttp2(wireCase, server);
  const method = wireCase.method ?? complete;
  await until(() => server.calls.inFlight() === 0);
  return {
    ...(speech ? decodeBrowserAnswer(played.received, method, speech) : decodeAnswer(played.received, method)),
    connection: played.connection,
    handler: [...server.journal],
    log: server.log.lines
      .filter(({ event }) => TOLD.has(event))
      .map(({ event, fields }) => `${event} ${fields.reason ?? ""} ${fields.rpc ?? ""}`),
  };
}

async function playHttp2(
  wireCase: WireCase,
  server: WireServer,
): Promise<Pick<Recording, "connection"> & { readonly received: Received }> {
  const session = openSession(server);
  try {
    const received = await play(wireCase, session, server);
    return { received, connection: await stateOf(session) };
  } finally {
    session.destroy();
  }
}

/** A connection to a server, with the window that HTTP/2 begins with. */
export function openSession({ url }: WireServer): ClientHttp2Session {
  // Stated, since the default of Node has changed between versions.
  const session = connectHttp2(url, { settings: { initialWindowSize: 65_535 } });
  session.on("error", () => {});
  return session;
}

/** Plays a case on a connection that others may use, too. */
export async function play(wireCase: WireCase, session: ClientHttp2Session, server: WireServer): Promise<Received> {
  const stream = request(wireCase, session);
  const progress = follow(stream);
  const exchange = exchangeOf(stream);
  for (const step of wireCase.steps) if (!stream.destroyed) await take(step, exchange, progress, server);
  if (!wireCase.lingers) {
    await until(() => progress.isOver);
    if (!stream.writableEnded) stream.end();
    // What the server says of a request that it has not read to its end is another matter: see `lingers`.
    if (!stream.closed) setTimeout(() => stream.close(), 20);
  }
  await progress.closed;
  return progress.received;
}

function request(wireCase: WireCase, session: ClientHttp2Session): ClientHttp2Stream {
  const { parent, name } = wireCase.method ?? complete;
  const headers = {
    ":method": "POST",
    ":path": `/${parent.typeName}/${name}`,
    "content-type": wireCase.speech ? contentTypeOf(wireCase.speech) : "application/grpc",
    ...(!wireCase.speech && { te: "trailers" }),
    ...wireCase.headers,
  };
  const named = Object.entries(headers).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  const stream = session.request(Object.fromEntries(named), {
    endStream: wireCase.isBodiless === true,
    waitForTrailers: wireCase.trailers !== undefined,
  });
  stream.on("wantTrailers", () => stream.sendTrailers({ ...wireCase.trailers }));
  return stream;
}

function exchangeOf(stream: ClientHttp2Stream): Exchange {
  return {
    write: (bytes) => void stream.write(bytes),
    end: () => void stream.end(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    reset: (code) => stream.close(code),
    drop: () => void stream.session?.socket.destroy(),
  };
}

function follow(stream: ClientHttp2Stream): Progress {
  const { progress, resolve } = startProgress();
  const { received } = progress;
  stream.on("response", (headers, flags) => {
    received.headers = headers;
    received.isTrailersOnly = (flags & END_STREAM) !== 0;
  });
  stream.on("data", (chunk: Buffer) => {
    received.body = Buffer.concat([received.body, chunk]);
  });
  stream.on("trailers", (trailers) => {
    received.trailers = trailers;
  });
  stream.on("end", () => {
    progress.isOver = true;
  });
  // The code of a reset is an error to Node, and a result here.
  stream.on("error", () => {});
  stream.on("close", () => {
    progress.isOver = true;
    received.reset = stream.rstCode;
    resolve();
  });
  return progress;
}

async function stateOf(session: ClientHttp2Session): Promise<"open" | "closed"> {
  if (session.destroyed || session.closed) return "closed";
  return await new Promise((resolve) => {
    session.once("close", () => resolve("closed"));
    session.ping((error) => resolve(error ? "closed" : "open"));
  });
}
