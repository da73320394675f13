import { randomUUID } from "node:crypto";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import type { Input } from "../faults/scenario-input.ts";
import {
  chunk,
  events,
  type ReceivedCall,
  type ScriptedStep,
  startScriptedUpstream,
  streamed,
  USAGE,
  usageChunk,
} from "../support/scripted-upstream.ts";
import { eventually } from "./eventually.ts";

/** What an answer costs at the prices below, in nano-USD. */
export const PRICE_NANO_USD = BigInt(USAGE.prompt_tokens + 1_000 * USAGE.completion_tokens);

/** 1 nano-USD for a token of the prompt, 1,000 for one of the answer. */
export const prices = {
  override: [{ model: "only-1", prompt_usd_per_million: "0.001", completion_usd_per_million: "1" }],
};

/** A question that nobody has asked before, and what the provider makes of it. */
export interface Question {
  /** What the caller writes. */
  readonly text: string;
  /** As a caller asks it; `more` goes over it. */
  input(more?: Input): Input;
  /** The requests that reached the provider for it. */
  readonly calls: readonly ReceivedCall[];
  /** Resolves when so many have. */
  received(count: number): Promise<void>;
}

/** A scripted provider of many questions, each with a script of its own. */
export interface Provider {
  readonly url: string;
  /** Plays these steps to the requests for it, in order, and the last one again and again. */
  question(...steps: readonly ScriptedStep[]): Question;
  close(): Promise<void>;
}

export async function startProvider(): Promise<Provider> {
  const scripts = new Map<string, { readonly steps: readonly ScriptedStep[]; readonly calls: ReceivedCall[] }>();
  const upstream = await startScriptedUpstream((call) => {
    const script = scripts.get(/harbour-[0-9a-f-]{36}/.exec(call.body)?.[0] ?? "");
    if (!script) return { status: 500 };
    const step = script.steps[Math.min(script.calls.length, script.steps.length - 1)];
    script.calls.push(call);
    return step ?? { status: 500 };
  });
  return {
    url: upstream.url,
    question(...steps) {
      const name = `harbour-${randomUUID()}`;
      const calls: ReceivedCall[] = [];
      scripts.set(name, { steps, calls });
      const value = `Describe ${name}.`;
      const text = { case: "text" as const, value };
      return {
        text: value,
        calls,
        input: (more = {}) => ({
          model: "only",
          messages: [{ role: Role.USER, content: [{ content: text }] }],
          ...more,
        }),
        received: async (count) => void (await eventually(() => (calls.length >= count ? true : undefined))),
      };
    },
    close: () => upstream.close(),
  };
}

/** An answer at once. */
export function answer(text: string): ScriptedStep {
  return streamed([text.slice(0, 5), text.slice(5)]);
}

/** An answer of `pieces` pieces, one every `everyMs`. */
export function slowAnswer(piece: string, pieces: number, everyMs: number): ScriptedStep {
  const texts = Array.from({ length: pieces }, () => ({ ...chunk({ content: piece }), every_ms: everyMs }));
  return events([...texts, chunk({}, "stop"), usageChunk(), { data: "[DONE]" }]);
}
