import { streamWrites } from "../support/scripted-upstream/bytes.ts";
import { chunk, completion, type ScriptedEvent, usageChunk } from "../support/scripted-upstream.ts";

/** One response of a provider, as bytes. */
export interface UpstreamBytes {
  readonly name: string;
  readonly isStream: boolean;
  readonly status: number;
  readonly bytes: Buffer;
  /** `fin`: the connection ends inside the response. */
  readonly end?: "fin";
}

/** One to three responses in the order they are given; what comes before the last makes a call try again. */
export function drawResponses(random: () => number, isJson: boolean): readonly UpstreamBytes[] {
  const before = Array.from({ length: Math.floor(random() * 3) }, () => oneOf(random, failures)(random, isJson));
  return [...before, oneOf(random, answers)(random, isJson)];
}

type Draw = (random: () => number, isJson: boolean) => UpstreamBytes;

const USAGES = [
  { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
  { prompt_tokens: -12, completion_tokens: 5 },
  { prompt_tokens: "12", completion_tokens: 5 },
  { prompt_tokens: 1e15, completion_tokens: 1e15 },
  { prompt_tokens: 12, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 99 } },
  null,
];

const textOf = (isJson: boolean) =>
  isJson ? '{"å": "🛳 \\ud83d\\udef3", "n": [1, 2]}' : 'Åle 🛳 says "夜"\r\n\r\ndata: x';

const answers: readonly Draw[] = [
  (random, isJson) =>
    stream("a stream", random, [...deltas(textOf(isJson), random), chunk({}, "stop"), ...tail(random)]),
  (random, isJson) => stream("ran into its limit", random, [...deltas(textOf(isJson), random), chunk({}, "length")]),
  (random, isJson) => {
    const usage = oneOf(random, USAGES);
    const events = [...deltas(textOf(isJson), random), chunk({}, "stop"), usageChunk(usage), { data: "[DONE]" }];
    return stream("odd usage", random, events);
  },
  (_random, isJson) => document("JSON instead of a stream", 200, completion(textOf(isJson)).body),
  (random, isJson) => stream("no word of the end", random, [...deltas(textOf(isJson), random), { data: "[DONE]" }]),
  (random, isJson) => {
    const events = [...deltas(textOf(isJson), random), chunk({}, "content_filter")];
    return stream("filtered", random, events);
  },
];

const failures: readonly Draw[] = [
  () => document("rate limited", 429, { error: { message: "slow down", type: "rate_limit_exceeded" } }),
  () => document("down", 503, { error: { message: "overloaded", type: "server_error" } }),
  () => document("no JSON", 502, "<html>bad gateway 夜</html>"),
  () => document("no choices", 200, { id: "x", object: "chat.completion", choices: [] }),
  (random, isJson) => {
    const error = { data: { error: { code: 502, message: "down 🛳" } } };
    return stream("an error inside", random, [...deltas(textOf(isJson), random), error]);
  },
  (random, isJson) => {
    const { bytes, ...rest } = stream("cut", random, [...deltas(textOf(isJson), random), chunk({}, "stop")]);
    return { ...rest, bytes: bytes.subarray(0, Math.floor(random() * (bytes.length - 120))), end: "fin" };
  },
  (random, isJson) => {
    const { bytes, ...rest } = stream("ended early", random, deltas(textOf(isJson), random));
    return { ...rest, bytes: bytes.subarray(0, Math.floor(random() * bytes.length)) };
  },
];

function tail(random: () => number): ScriptedEvent[] {
  return random() < 0.5 ? [usageChunk(), { data: "[DONE]" }] : [{ data: "[DONE]" }];
}

function deltas(text: string, random: () => number): ScriptedEvent[] {
  const events: ScriptedEvent[] = [chunk({ role: "assistant", content: "" })];
  const units = [...text];
  while (units.length > 0) {
    if (random() < 0.1) events.push({ comment: "keep-alive" });
    events.push(chunk({ content: units.splice(0, 1 + Math.floor(random() * 6)).join("") }));
  }
  return events;
}

function stream(name: string, random: () => number, sse: readonly ScriptedEvent[]): UpstreamBytes {
  const eol = oneOf(random, ["\n", "\r\n", "\r"]);
  const events = sse.map((event) => (random() < 0.2 ? overTwoLines(event, eol) : event));
  const bytes = Buffer.concat(streamWrites({ sse: events, eol }).map((write) => write.bytes));
  const bom = random() < 0.1 ? Buffer.from("\ufeff") : Buffer.alloc(0);
  return { name, isStream: true, status: 200, bytes: Buffer.concat([bom, bytes]) };
}

/** An event may spread its data over lines; JSON does not mind. */
function overTwoLines(event: ScriptedEvent, eol: string): ScriptedEvent {
  if (!("data" in event) || typeof event.data === "string") return event;
  const text = JSON.stringify(event.data);
  const comma = text.indexOf(",") + 1;
  return { raw: `data: ${text.slice(0, comma)}${eol}data: ${text.slice(comma)}${eol}${eol}` };
}

function document(name: string, status: number, body: unknown): UpstreamBytes {
  return { name, isStream: false, status, bytes: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) };
}

function oneOf<T>(random: () => number, list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new RangeError("picked from an empty list");
  return found;
}
