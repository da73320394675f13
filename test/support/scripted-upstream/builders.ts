import type { ScriptedEvent, ScriptedResponse } from "./steps.ts";

export interface CompletionFields {
  readonly finish?: string | null;
  readonly usage?: unknown;
  readonly model?: string;
  /** Merged over the message. */
  readonly message?: Readonly<Record<string, unknown>>;
}

export const USAGE = { prompt_tokens: 310, completion_tokens: 24, total_tokens: 334 } as const;

/** A good answer as one JSON document. */
export function completion(text: string | null, fields: CompletionFields = {}): ScriptedResponse {
  const { finish = "stop", usage = USAGE, model = "served-model", message = {} } = fields;
  return {
    headers: { "content-type": "application/json" },
    keep_alive: true,
    body: {
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1893456000,
      model,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: text, refusal: null, ...message },
          logprobs: null,
          finish_reason: finish,
        },
      ],
      ...(usage !== undefined && { usage }),
    },
  };
}

/** One chunk of a stream. */
export function chunk(
  delta: Readonly<Record<string, unknown>>,
  finish: string | null = null,
  more: object = {},
): ScriptedEvent {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return {
    data: {
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1893456000,
      model: "served-model",
      choices,
      ...more,
    },
  };
}

/** The chunk that carries nothing but the usage. */
export function usageChunk(usage: unknown = USAGE): ScriptedEvent {
  return {
    data: {
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1893456000,
      model: "served-model",
      choices: [],
      usage,
    },
  };
}

/** A stream of these events. */
export function events(sse: readonly ScriptedEvent[], more: Omit<ScriptedResponse, "sse"> = {}): ScriptedResponse {
  return {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
    keep_alive: true,
    sse,
    ...more,
  };
}

/** A good answer as a stream, as OpenAI sends it: role, deltas, finish reason, usage, `[DONE]`. */
export function streamed(
  deltas: readonly string[],
  more: Omit<ScriptedResponse, "sse"> & { readonly finish?: string } = {},
): ScriptedResponse {
  const { finish = "stop", ...options } = more;
  const texts = deltas.map((content) => chunk({ content }));
  return events(
    [chunk({ role: "assistant", content: "" }), ...texts, chunk({}, finish), usageChunk(), { data: "[DONE]" }],
    options,
  );
}

/** An error in OpenAI's envelope. */
export function failure(
  status: number,
  error: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): ScriptedResponse {
  return { status, headers: { "content-type": "application/json", ...headers }, body: { error } };
}
