import assert from "node:assert/strict";
import OpenAI from "openai";
import {
  chunk,
  completion,
  events,
  type ScriptedResponse,
  streamed,
  usageChunk,
} from "../../support/scripted-upstream.ts";
import { API_KEY, attempt, modelRequest, withUpstream } from "./model-request.ts";

interface Answer {
  readonly text: string;
  readonly finish: string;
  readonly promptTokens: number | undefined;
  readonly completionTokens: number | undefined;
}

const DETAILS = {
  prompt_tokens: 9,
  completion_tokens: 5,
  total_tokens: 14,
  prompt_tokens_details: { cached_tokens: 4 },
};

/** Well-formed answers, which any correct client must read alike. */
const STREAMS: Readonly<Record<string, ScriptedResponse>> = {
  plain: streamed(["Hello", ", ", "world"]),
  "other scripts, cut into three bytes": { ...streamed(["Ålesund ", "🛳", " 夜行"]), split: 3 },
  "CRLF and comments": {
    ...events([{ comment: "hi" }, chunk({ content: "a" }), chunk({}, "stop"), usageChunk(), { data: "[DONE]" }]),
    eol: "\r\n",
  },
  "data without a space": events([
    { ...chunk({ content: "a" }), nospace: true },
    chunk({}, "stop"),
    usageChunk(),
    { data: "[DONE]" },
  ]),
  "cut by length": streamed(["a", "b"], { finish: "length" }),
  "usage on the last chunk with choices": events([
    chunk({ content: "a" }),
    chunk({}, "stop", { usage: DETAILS }),
    { data: "[DONE]" },
  ]),
  "without [DONE]": events([chunk({ content: "a" }), chunk({}, "stop"), usageChunk()]),
  "without usage": events([chunk({ content: "a" }), chunk({}, "stop"), { data: "[DONE]" }]),
  "all in one write": { ...streamed(["a", "b", "c"]), split: "all" },
  "event names and ids": events([
    { ...chunk({ content: "a" }), event: "message", id: "1" },
    chunk({}, "stop"),
    { data: "[DONE]" },
  ]),
};

const DOCUMENTS: Readonly<Record<string, ScriptedResponse>> = {
  plain: completion("Hello"),
  "other scripts": completion('Ålesund 🛳 夜行\n\t"quoted"'),
  "cut by length": completion("Hel", { finish: "length" }),
  "details of usage": completion("Hello", { usage: DETAILS }),
  "byte by byte": { ...completion("Hello 🛳"), drip_body: { bytes: 9, every_ms: 0 } },
};

describe("our client and the openai package's, on the same bytes", () => {
  for (const [name, step] of Object.entries(STREAMS)) {
    it(`read the same stream: ${name}`, () => compare(step, true));
  }
  for (const [name, step] of Object.entries(DOCUMENTS)) {
    it(`read the same document: ${name}`, () => compare(step, false));
  }
});

async function compare(step: ScriptedResponse, isStream: boolean): Promise<void> {
  await withUpstream(step, async (model, upstream) => {
    const client = new OpenAI({ baseURL: `${upstream.url}/v1`, apiKey: API_KEY, maxRetries: 0 });
    const theirs = await (isStream ? sdkStream(client) : sdkDocument(client));
    const { text, end } = await attempt(model, modelRequest({ streamUpstream: isStream }));
    const ours = {
      text,
      finish: end?.finish,
      promptTokens: end?.usage?.promptTokens,
      completionTokens: end?.usage?.completionTokens,
    };
    assert.deepEqual(ours, theirs);
  });
}

const REQUEST = { model: "small-1", messages: [{ role: "user" as const, content: "Hello" }] };

async function sdkDocument(client: OpenAI): Promise<Answer> {
  const { choices, usage } = await client.chat.completions.create(REQUEST);
  return {
    text: choices[0]?.message.content ?? "",
    finish: choices[0]?.finish_reason ?? "",
    promptTokens: usage?.prompt_tokens,
    completionTokens: usage?.completion_tokens,
  };
}

async function sdkStream(client: OpenAI): Promise<Answer> {
  let answer: Answer = { text: "", finish: "", promptTokens: undefined, completionTokens: undefined };
  for await (const { choices, usage } of await client.chat.completions.create({ ...REQUEST, stream: true })) {
    answer = {
      text: answer.text + (choices[0]?.delta.content ?? ""),
      finish: choices[0]?.finish_reason ?? answer.finish,
      promptTokens: usage?.prompt_tokens ?? answer.promptTokens,
      completionTokens: usage?.completion_tokens ?? answer.completionTokens,
    };
  }
  return answer;
}
