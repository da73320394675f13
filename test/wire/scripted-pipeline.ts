import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { ExplanationSchema } from "../../gen/sluice/v1/explanation_pb.ts";
import { StreamCompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../../src/core/call.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { failures, isReason } from "./failures.ts";

/** What a request asks of the pipeline, in the first line of its model's name; the lines after it are a text. */
interface Plan {
  /** Messages of a stream before it ends. Default 3. */
  readonly messages: number;
  /** Characters of each text of the answer. Default: the text of the request. */
  readonly bytes: number | undefined;
  /**
   * How it ends, `then` in the script: `end` (well, the default), `fail:REASON`, `code:NUMBER` (an error with metadata of its own), `bug`,
   * `hang` (until it is told to stop), `deaf` (even then), `do:ACTION` (well, after the action).
   */
  readonly ending: string;
  readonly text: string;
}

/** What requests may bring about on the server, by name. */
export type Actions = Readonly<Record<string, () => void>>;

/** A pipeline that does what its requests say, and notes in the journal what it saw, in order. */
const notScripted = () => Promise.reject(new Error("is not scripted"));

export function scriptedPipeline(journal: string[], actions: Actions = {}): Pipeline {
  const start = (call: Call, input: CompletionInput | undefined) => {
    const leftMs = call.deadline.remainingMs();
    // In whole seconds begun: they have the margin of the deadline in them, and what a busy machine loses.
    journal.push(`${call.method} starts for ${call.caller.tenant} within ${Math.ceil(leftMs / 1000)} s`);
    call.signal.addEventListener("abort", () => journal.push(`told ${reasonOf(call.signal)}`), { once: true });
    return planOf(input?.model ?? "");
  };
  return {
    async complete(call, input) {
      const plan = start(call, input);
      try {
        await finish(plan, call.signal, actions);
        return create(CompletionSchema, { callId: call.id, text: textOf(plan) });
      } finally {
        journal.push("ends");
      }
    },
    async *stream(call, input) {
      const plan = start(call, input);
      try {
        for (let number = 1; number <= plan.messages; number += 1) {
          yield create(StreamCompleteResponseSchema, {
            event: { case: "textDelta", value: { sequenceNumber: BigInt(number), text: textOf(plan) } },
          });
        }
        await finish(plan, call.signal, actions);
      } finally {
        journal.push("ends");
      }
    },
    explain: async () => create(ExplanationSchema, { model: "explained" }),
    embed: notScripted,
    retrieve: notScripted,
    putDocuments: notScripted,
    reembed: () => {
      throw new Error("is not scripted");
    },
  };
}

function planOf(script: string): Plan {
  const [head = "", ...rest] = script.split("\n");
  const words = new Map(head.split(" ").map((word) => [word.split("=")[0], word.slice(word.indexOf("=") + 1)]));
  const bytes = words.get("bytes");
  return {
    messages: Number(words.get("messages") ?? 3),
    bytes: bytes === undefined ? undefined : Number(bytes),
    ending: words.get("then") ?? "end",
    text: rest.join("\n"),
  };
}

function textOf({ bytes, text }: Plan): string {
  return bytes === undefined ? text : "t".repeat(bytes);
}

async function finish({ ending, text }: Plan, signal: AbortSignal, actions: Actions): Promise<void> {
  const [how = "", what = ""] = ending.split(":");
  if (how === "fail" && isReason(what)) throw new SluiceError(failures(text || "some text")[what]);
  if (how === "code")
    throw new ConnectError(text || "as asked", Number(what), { "own-ascii": "a, b", "own-bin": "AQID" });
  if (how === "do") actions[what]?.();
  if (how === "bug") throw new TypeError("the scripted bug");
  if (how === "deaf") await new Promise(() => {});
  if (how === "hang") await aborted(signal);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof SluiceError ? reason.failure.reason : String(reason);
}
