import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CacheMode, CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { ChatModel } from "../../src/core/model.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { withUpstream } from "../adapters/openai/model-request.ts";
import { randomPieces } from "../adapters/openai/seeded-cuts.ts";
import { seeded } from "../pipeline/parse/random.ts";
import { target } from "../support/models.ts";
import { pipelinePorts, testCall } from "../support/pipeline-ports.ts";
import type { ScriptedStep } from "../support/scripted-upstream.ts";
import { drawResponses, type UpstreamBytes } from "./upstream-bytes.ts";

const RUNS = Math.ceil(Number(process.env.SLUICE_PROPERTY_RUNS ?? 2000) / 10);
const WAYS = 2;

/** The same bytes, cut otherwise. */
function step({ isStream, status, bytes, end }: UpstreamBytes, random: (() => number) | undefined): ScriptedStep {
  const pieces = random ? randomPieces(bytes, random) : [bytes];
  return {
    status,
    headers: { "content-type": isStream ? "text/event-stream" : "application/json" },
    sse: pieces.map((piece) => ({ raw_base64: Buffer.from(piece).toString("base64") })),
    end,
    keep_alive: end === undefined,
  };
}

/** What a caller and the ledger learn of a call, without what its chunks may change: when it came. */
async function outcome(chat: ChatModel, isJson: boolean): Promise<unknown> {
  const ports = pipelinePorts([target({ chat })], { maxAttempts: 3 });
  const input = create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "one two three" } }] }],
    output: isJson ? { format: { case: "json", value: { schema: '{"type":"object"}' } } } : undefined,
    cache: { mode: CacheMode.BYPASS },
  });
  let shown = "";
  let completion: Completion | undefined;
  let reason: string | undefined;
  try {
    for await (const { event } of createPipeline(ports).stream(testCall(), input)) {
      if (event.case === "textDelta") shown += event.value.text;
      if (event.case === "restarted") shown = "";
      if (event.case === "finished") completion = event.value.completion;
    }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    reason = error.failure.reason;
  }
  if (completion) assert.equal(shown, completion.text);
  const attempts = ports.records.flatMap((record) => {
    if (record.type !== "attempt_finished") return [];
    const { latency_ms, time_to_first_token_ms, finished_at, ...rest } = record;
    return [rest];
  });
  return { reason, text: completion?.text, finish: completion?.finishReason, repairs: completion?.repairs, attempts };
}

describe("chunking of a call's upstream bytes", () => {
  it("never changes what the caller gets or what is charged", async function () {
    this.timeout(600_000);
    const met = new Set<string>();
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const random = seeded(seed);
      const isJson = random() < 0.4;
      const responses = drawResponses(random, isJson);
      for (const { name } of responses) met.add(name);
      const outcomes: unknown[] = [];
      for (let way = 0; way <= WAYS; way += 1) {
        const steps = responses.map((response) => step(response, way === 0 ? undefined : random));
        await withUpstream(steps, async (chat) => void outcomes.push(await outcome(chat, isJson)));
      }
      const [whole, ...cut] = outcomes;
      for (const other of cut) {
        assert.deepEqual(other, whole, `seed ${seed}; ${responses.map(({ name }) => name).join(", ")}`);
      }
    }
    assert.equal(met.size, 13, `the runs met ${[...met].join(", ")}`);
  });
});
