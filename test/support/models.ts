import { SluiceError } from "../../src/core/failure.ts";
import type {
  ChatModel,
  ModelCatalog,
  ModelEvent,
  ModelRequest,
  ModelTarget,
  UpstreamErrorFields,
} from "../../src/core/model.ts";
import { UpstreamError } from "../../src/core/model.ts";

/** One scripted answer of a model: events to send, then the failure, if there is one. */
export interface ScriptedAnswer {
  readonly deltas?: readonly string[];
  readonly end?: Partial<Extract<ModelEvent, { kind: "end" }>>;
  readonly failure?: UpstreamErrorFields;
  /** Resolves before the first event. */
  readonly hold?: Promise<void>;
}

export interface ScriptedModel extends ChatModel {
  readonly requests: ModelRequest[];
  /** Requests whose signal was aborted before their end. */
  readonly aborted: ModelRequest[];
}

/** A paid model replaced by a script: each request gets the next answer, further ones the last. */
export function scriptedModel(...answers: readonly ScriptedAnswer[]): ScriptedModel {
  const requests: ModelRequest[] = [];
  const aborted: ModelRequest[] = [];
  return {
    requests,
    aborted,
    async *complete(request, signal) {
      const answer = answers[Math.min(requests.length, answers.length - 1)] ?? {};
      requests.push(request);
      await abortable(answer.hold, signal, () => aborted.push(request));
      for (const text of answer.deltas ?? []) {
        signal.throwIfAborted();
        yield { kind: "delta", text };
      }
      if (answer.failure) throw new UpstreamError(answer.failure);
      yield { kind: "end", finish: "stop", ...answer.end };
    },
  };
}

async function abortable(hold: Promise<void> | undefined, signal: AbortSignal, onAbort: () => void): Promise<void> {
  if (!hold) return;
  const gone = new Promise<never>((_resolve, reject) => {
    signal.addEventListener(
      "abort",
      () => {
        onAbort();
        reject(signal.reason);
      },
      { once: true },
    );
  });
  await Promise.race([hold, gone]);
}

/** A model alias for tests, with a small window. */
export function target(fields: Partial<ModelTarget> & { chat?: ChatModel } = {}): ModelTarget {
  return {
    alias: "fast",
    provider: { id: "main", baseUrl: "http://upstream.test/v1" },
    providerModel: "gpt-test",
    family: "openai",
    contextTokens: 1000,
    maxOutputTokens: 400,
    initialMaxTokens: 100,
    structuredOutput: "json_schema",
    streamUpstream: true,
    templateTokens: "text",
    fallbacks: [],
    timeouts: { firstByteMs: 1000, idleMs: 1000, attemptMs: 5000 },
    limits: { maxConcurrency: 64, maxQueue: 256 },
    synthetic: false,
    description: "",
    chat: scriptedModel(),
    ...fields,
  };
}

/** A catalogue of these models; the first is the default. */
export function catalog(...targets: readonly ModelTarget[]): ModelCatalog {
  return {
    defaultAlias: targets[0]?.alias ?? "",
    list: () => targets,
    resolve(alias) {
      const found = targets.find((target) => target.alias === alias);
      if (!found) throw new SluiceError({ reason: "UNKNOWN_MODEL", name: alias, nearest: [] });
      return found;
    },
  };
}
