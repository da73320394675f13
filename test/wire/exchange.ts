import { until } from "../rpc/support/in-memory.ts";
import { type Received, splitFrames } from "./answer.ts";
import type { Step } from "./case.ts";
import type { WireServer } from "./wire-server.ts";

/** What a raw client can do, over either version of HTTP. */
export interface Exchange {
  write(bytes: Uint8Array): void;
  end(): void;
  pause(): void;
  resume(): void;
  reset(code: number): void;
  /** The connection. */
  drop(): void;
}

export interface Progress {
  readonly received: Received;
  /** The answer has ended, or the exchange was closed. */
  isOver: boolean;
  readonly closed: Promise<void>;
}

/** Of an exchange of which nothing has come yet; `resolve` when it is closed. */
export function startProgress(): { readonly progress: Progress; readonly resolve: () => void } {
  const received: Received = {
    headers: undefined,
    isTrailersOnly: false,
    body: Buffer.alloc(0),
    trailers: undefined,
    reset: undefined,
  };
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  return { progress: { received, isOver: false, closed }, resolve };
}

export async function take(step: Step, exchange: Exchange, progress: Progress, server: WireServer): Promise<void> {
  if (step === "half-close") exchange.end();
  else if (step === "stop reading") exchange.pause();
  else if (step === "read on") exchange.resume();
  else if (step === "drop connection") exchange.drop();
  else if ("send" in step) exchange.write(step.send);
  else if ("reset" in step) exchange.reset(step.reset);
  else if ("pauseMs" in step) await new Promise((resolve) => setTimeout(resolve, step.pauseMs));
  else await until(() => progress.isOver || hasCome(step.await, progress.received, server));
}

function hasCome(awaited: Extract<Step, { await: unknown }>["await"], received: Received, server: WireServer): boolean {
  if (awaited === "headers") return received.headers !== undefined;
  if (awaited === "answer") return false;
  if ("handler" in awaited) return server.journal.some((note) => awaited.handler.test(note));
  return splitFrames(received.body).frames.length >= awaited.messages;
}
