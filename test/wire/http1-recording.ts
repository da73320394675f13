import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp1 } from "node:http";
import { until } from "../rpc/support/in-memory.ts";
import type { Received } from "./answer.ts";
import { complete, type WireCase } from "./case.ts";
import { type Exchange, type Progress, startProgress, take } from "./exchange.ts";
import { contentTypeOf } from "./speech.ts";
import type { WireServer } from "./wire-server.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** Plays a case over HTTP/1.1, on a connection of its own. */
export async function playHttp1(
  wireCase: WireCase,
  server: WireServer,
): Promise<{ readonly received: Received; readonly connection: "open" | "closed" }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const request = start(wireCase, server, agent);
    const { progress, exchange } = follow(request);
    for (const step of wireCase.steps) if (!request.destroyed) await take(step, exchange, progress, server);
    await until(() => progress.isOver);
    const isWhole = request.writableEnded && progress.received.reset === 0;
    if (!request.writableEnded) request.destroy();
    await progress.closed;
    return { received: progress.received, connection: isWhole && (await isReused(server, agent)) ? "open" : "closed" };
  } finally {
    agent.destroy();
  }
}

function start(wireCase: WireCase, { url }: WireServer, agent: Agent): ClientRequest {
  const { parent, name } = wireCase.method ?? complete;
  const { ":method": method = "POST", ...others } = wireCase.headers ?? {};
  const headers = { "content-type": wireCase.speech && contentTypeOf(wireCase.speech), ...others };
  const named = Object.entries(headers).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  const path = `/${parent.typeName}/${name}`;
  return requestHttp1(url + path, { method: String(method), headers: Object.fromEntries(named), agent });
}

function follow(request: ClientRequest): { readonly progress: Progress; readonly exchange: Exchange } {
  const { progress, resolve } = startProgress();
  const { received } = progress;
  let response: IncomingMessage | undefined;
  let isPaused = false;
  request.on("response", (incoming) => {
    response = incoming;
    received.headers = { ...incoming.headers, ":status": String(incoming.statusCode) };
    incoming.on("data", (chunk: Buffer) => {
      received.body = Buffer.concat([received.body, chunk]);
    });
    incoming.on("error", () => {});
    incoming.on("end", () => {
      received.reset = 0;
      progress.isOver = true;
    });
    if (isPaused) incoming.pause();
  });
  // That a connection was cut is an error to Node, and a result here.
  request.on("error", () => {});
  request.on("close", () => {
    received.reset ??= "cut off";
    progress.isOver = true;
    resolve();
  });
  const drop = () => void request.destroy();
  const exchange: Exchange = {
    write: (bytes) => void request.write(bytes),
    end: () => void request.end(),
    pause() {
      isPaused = true;
      response?.pause();
    },
    resume() {
      isPaused = false;
      response?.resume();
    },
    reset: drop,
    drop,
  };
  return { progress, exchange };
}

/** Whether another request goes over the same connection. */
function isReused({ url }: WireServer, agent: Agent): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = requestHttp1(
      `${url}/grpc.health.v1.Health/Check`,
      { method: "POST", headers: JSON_TYPE, agent },
      (response) => {
        response.resume();
        response.on("end", () => resolve(request.reusedSocket));
      },
    );
    // A server may close a connection in the moment in which it is used again: it was not kept open then.
    request.on("error", (error) => (request.reusedSocket ? resolve(false) : reject(error)));
    request.end("{}");
  });
}
