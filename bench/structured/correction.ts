import { isDeepStrictEqual } from "node:util";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { StructuredOutputMode } from "../../src/core/model.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { target } from "../../test/support/models.ts";
import { pipelinePorts, testCall } from "../../test/support/pipeline-ports.ts";
import type { Counts } from "../benchmark.ts";
import { listeningModel } from "./listening-model.ts";
import { INITIAL_TOKENS, type Misbehaviour, misbehaviours } from "./misbehaviours.ts";
import { type Task, tasks } from "./tasks.ts";

const modes: readonly StructuredOutputMode[] = ["json_schema", "json_object", "prompt"];
const [maxAttempts, maxCorrections] = [4, 2];

/** How a call to a scripted model ended. */
interface Ending {
  readonly attempts: number;
  /** "recovered" with the right answer, "wrong" with another one, else the reason of the failure. */
  readonly outcome: string;
}

/** What the correction step recovers of a declared set of misbehaviours, by kind, through the whole pipeline. */
export async function measureCorrection(): Promise<Counts> {
  const rows: (string | number)[][] = [];
  const all: Ending[] = [];
  for (const misbehaviour of misbehaviours) {
    const endings: Ending[] = [];
    for (const task of tasks) for (const mode of modes) endings.push(await play(misbehaviour, task, mode));
    rows.push(row(misbehaviour.kind, endings));
    all.push(...endings);
  }
  return {
    kind: "counts",
    title: `scripted misbehaviours recovered, by kind (${maxAttempts} attempts, ${maxCorrections} corrections)`,
    remark:
      "Scripts are not models. A script mends exactly what the last message names by path and rule, so these figures show\n" +
      "that the messages carry what is needed and that the budget of attempts is kept, not how often a model obeys.\n" +
      `Each kind: ${tasks.length} tasks, asked for in ${modes.length} ways (${modes.join(", ")}).`,
    columns: ["", "scripts", "recovered", "%", "wrong", "attempts, mean", "otherwise"],
    rows: [...rows, row("all", all)],
  };
}

function row(name: string, endings: readonly Ending[]): (string | number)[] {
  const count = (wanted: string) => endings.filter(({ outcome }) => outcome === wanted).length;
  const recovered = count("recovered");
  const attempts = endings.reduce((sum, ending) => sum + ending.attempts, 0) / endings.length;
  const reasons = new Set(endings.map(({ outcome }) => outcome).filter((outcome) => /^[A-Z]/.test(outcome)));
  const share = Math.round((100 * recovered) / endings.length);
  return [name, endings.length, recovered, share, count("wrong"), attempts, [...reasons].join(", ")];
}

async function play(misbehaviour: Misbehaviour, task: Task, mode: StructuredOutputMode): Promise<Ending> {
  const { slips, relapse = [], mayEscalate, isChecked } = misbehaviour;
  const chat = listeningModel(
    task,
    slips.map((make) => make(task)),
    relapse.map((make) => make(task)),
  );
  const stronger = listeningModel(task, []);
  const common = { structuredOutput: mode, contextTokens: 100_000, maxOutputTokens: 4 * INITIAL_TOKENS };
  const ports = pipelinePorts(
    [
      target({
        ...common,
        alias: "fast",
        initialMaxTokens: INITIAL_TOKENS,
        chat,
        ...(mayEscalate && { escalateTo: "smart" }),
      }),
      target({ ...common, alias: "smart", chat: stronger }),
    ],
    { maxAttempts, maxCorrections },
  );
  const json = { schema: task.schema, checks: isChecked ? [task.check] : [] };
  const input = create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "Write it down." } }] }],
    output: { format: { case: "json", value: json } },
  });
  const outcome = await outcomeOf(() => createPipeline(ports).complete(testCall(), input), task);
  return { outcome, attempts: chat.asked() + stronger.asked() };
}

async function outcomeOf(complete: () => Promise<{ text: string }>, { right }: Task): Promise<string> {
  try {
    const { text } = await complete();
    return isDeepStrictEqual(JSON.parse(text), right) ? "recovered" : "wrong";
  } catch (error) {
    if (error instanceof SluiceError) return error.failure.reason;
    throw error;
  }
}
