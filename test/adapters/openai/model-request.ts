import { createOpenAiChatModel, type OpenAiChatModelOptions } from "../../../src/adapters/openai/chat-model.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { silentLog } from "../../../src/core/log.ts";
import {
  type ChatModel,
  type ModelEvent,
  type ModelRequest,
  UpstreamError,
  type UpstreamErrorFields,
} from "../../../src/core/model.ts";
import { type Script, type ScriptedUpstream, startScriptedUpstream } from "../../support/scripted-upstream.ts";

export const API_KEY = "sk-test-0123456789";

/** A request for text, streamed, with limits that no test reaches by accident. */
export function modelRequest(more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    callId: "call-1",
    attempt: 1,
    providerModel: "small-1",
    messages: [{ role: "user", text: "Hello" }],
    messagesOfCorrection: 0,
    chunks: [],
    sampling: { maxOutputTokens: 100, stop: [] },
    output: { kind: "text" },
    timeouts: { firstByteMs: 10_000, idleMs: 10_000, attemptMs: 10_000 },
    streamUpstream: true,
    ...more,
  };
}

/** What came of one attempt. */
export interface Outcome {
  readonly text: string;
  readonly deltas: number;
  readonly end?: Extract<ModelEvent, { kind: "end" }>;
  readonly failure?: UpstreamErrorFields;
}

export async function attempt(
  model: ChatModel,
  request = modelRequest(),
  signal = new AbortController().signal,
): Promise<Outcome> {
  let text = "";
  let deltas = 0;
  let end: Outcome["end"];
  try {
    for await (const event of model.complete(request, signal)) {
      if (event.kind === "end") {
        end = event;
        continue;
      }
      text += event.text;
      deltas += 1;
    }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { text, deltas, failure: error.fields };
  }
  return end ? { text, deltas, end } : { text, deltas };
}

/** Runs `use` with an upstream that plays the script and a model that talks to it, and closes both. */
export async function withUpstream(
  script: Script,
  use: (model: ReturnType<typeof createOpenAiChatModel>, upstream: ScriptedUpstream) => Promise<void>,
  options: Partial<OpenAiChatModelOptions> = {},
): Promise<void> {
  const upstream = await startScriptedUpstream(script);
  const model = createOpenAiChatModel(
    { providerId: "test", baseUrl: `${upstream.url}/v1`, apiKey: API_KEY, ...options },
    { clock: systemClock, log: silentLog },
  );
  try {
    await use(model, upstream);
  } finally {
    await model.close();
    await upstream.close();
  }
}
