import type { ChatModel, ModelRequest } from "../../src/core/model.ts";
import type { Problem, Slip, Told } from "./slips.ts";
import type { Task } from "./tasks.ts";

/** A scripted model, and how often it was asked. */
export interface ListeningModel extends ChatModel {
  asked(): number;
}

/**
 * A model that makes given mistakes and reads what it is told: it mends exactly those that the last message of the user
 * names, and knows nothing else, not even how often it was asked.
 * @param relapse the mistakes that it makes instead, each time it has mended all of them.
 */
export function listeningModel(task: Task, slips: readonly Slip[], relapse: readonly Slip[] = []): ListeningModel {
  let [made, next] = [slips, relapse];
  let asked = 0;
  return {
    asked: () => asked,
    async *complete(request, signal) {
      signal.throwIfAborted();
      asked += 1;
      const told = read(request);
      const left = made.filter((slip) => !slip.isNamed(told));
      if (left.length === 0 && made.length > 0) [made, next] = [next, next.length > 0 ? made : []];
      else made = left;
      yield { kind: "delta", text: write(task, made) };
      yield { kind: "end", finish: made.some(({ finish }) => finish) ? "length" : "stop" };
    },
  };
}

function write({ right }: Task, slips: readonly Slip[]): string {
  const value = structuredClone(right);
  for (const { inValue } of slips) inValue?.(value);
  return slips.reduce((text, { inText }) => inText?.(text) ?? text, JSON.stringify(value));
}

const PROBLEM =
  /^- (?:at (?<path>\S+)|the whole): rule "(?<rule>[^"]+)"; expected: (?<expected>.*); got: (?<got>.*)$/gm;

function read({ messages, sampling }: ModelRequest): Told {
  const words = messages.findLast(({ role }) => role === "user")?.text ?? "";
  const problems = [...words.matchAll(PROBLEM)].map(({ groups }): Problem => {
    const { path = "", rule = "", expected = "", got = "" } = groups ?? {};
    return { path, rule, expected, got };
  });
  return { problems, words, maxOutputTokens: sampling.maxOutputTokens };
}
