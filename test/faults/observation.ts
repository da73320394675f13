import type { ReceivedCall } from "../support/scripted-upstream.ts";
import type { CallResult } from "./grpc-calls.ts";
import type { ScenarioRequest } from "./scenario.ts";

/** What was seen while a scenario was played. */
export interface Observation {
  readonly request: ScenarioRequest;
  /** What the upstream received, in order. */
  readonly received: readonly ReceivedCall[];
  /** What came to a second listener, to which the upstream redirected. */
  readonly strayRequests: readonly string[];
  /** What came of each call, in the order they were made. */
  readonly results: readonly CallResult[];
  /** What the service logged as its own bugs and faults. */
  readonly faults: readonly string[];
  /** How many calls were made at once. */
  readonly concurrency: number;
  /** Of the service's process, where the scenario asks for it. */
  readonly load?: { readonly rssGrowthBytes: number; readonly longestBlockMs: number };
}

/** The request of that number, which counts from 1; -1 is the last. */
export function receivedCall({ received }: Pick<Observation, "received">, number: number): ReceivedCall {
  const call = number < 0 ? received.at(number) : received[number - 1];
  if (!call) throw new Error(`there was no request ${number}; there were ${received.length}`);
  return call;
}

/** Bytes of the messages of a request. */
export function promptBytes({ json }: ReceivedCall): number {
  return Buffer.byteLength(JSON.stringify(json?.messages ?? null));
}

export function modelOf({ json }: ReceivedCall): string {
  return String(json?.model);
}

/** The most tokens that a request allows its answer; undefined where it does not say. */
export function maxTokensOf({ json }: ReceivedCall): number | undefined {
  const value = json?.max_completion_tokens ?? json?.max_tokens;
  return typeof value === "number" ? value : undefined;
}

/** The body and every text in it, so that a word is found however often it is escaped. */
export function bodyText({ body, json }: ReceivedCall): string {
  return [body, ...textsIn(json)].join("\n");
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
