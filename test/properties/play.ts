import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { deadlineAfter } from "../../src/core/deadline.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { testCall } from "../support/pipeline-ports.ts";
import { CHECKED_SCHEMA, JSON_CHECK, TEXT_CHECK } from "./answer-texts.ts";
import type { Echo, Moment, Observation, SeenCaller } from "./observation.ts";
import type { CallerPlan, Plan, QuestionPlan } from "./plan.ts";
import { SECRET } from "./secret.ts";
import { askPrompt, type StageSet, setStage } from "./stage-set.ts";
import { HangError, settle, type VirtualClock } from "./virtual-clock.ts";

/** Plays a run to its end, and some of its questions again. */
export async function play(plan: Plan): Promise<Observation> {
  const set = setStage(plan);
  const { clock, seen } = set;
  const pipeline = createPipeline(set.ports);
  const leftovers: string[] = [];
  const calls = plan.callers.map((caller, index) => makeCall(set, pipeline, caller, `call-${index}`));
  for (const { atMs, ms } of plan.wallShifts) clock.after(atMs, () => clock.shiftWall(ms));
  await orLeftover(clock.runUntil(Promise.all(calls)), "a call that never ends", leftovers);
  await orLeftover(clock.runUntil(set.ports.activeCalls.idle(1000)), "a call that is never reported", leftovers);
  await settle();
  leftovers.push(...set.leftovers());
  const echoes: Echo[] = [];
  if (leftovers.length === 0) for (const caller of echoed(seen.callers)) echoes.push(await echo(set, pipeline, caller));
  return { plan, ...seen, sleeps: clock.sleeps, echoes, leftovers };
}

async function orLeftover(work: Promise<void>, what: string, leftovers: string[]): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof HangError)) throw error;
    leftovers.push(what);
  }
}

/** Of each question and tenant, the last one who paid for an answer. */
function echoed(callers: readonly SeenCaller[]): SeenCaller[] {
  const paid = callers.filter((caller) => (caller.completion?.attempts.length ?? 0) > 0);
  const byQuestion = new Map(paid.map((caller) => [`${caller.plan.tenant} ${caller.plan.question}`, caller]));
  return [...byQuestion.values()];
}

async function echo(set: StageSet, pipeline: Pipeline, of: SeenCaller): Promise<Echo> {
  const before = set.seen.attempts.length;
  const plan: CallerPlan = { ...of.plan, atMs: 0, timeoutMs: 60_000, leavesAfterMs: undefined, cacheMode: 0 };
  const id = of.id.replace("call", "echo");
  await set.clock.runUntil(makeCall(set, pipeline, { ...plan, stopsAfterEvents: undefined, readEveryMs: 0 }, id));
  const caller = set.seen.callers.find((seen) => seen.id === id);
  if (!caller) throw new Error("an echo was not heard");
  return { of, caller, requests: set.seen.attempts.length - before };
}

/** Calls when it is time. Resolves when the caller has its answer, or has stopped listening. */
export async function makeCall(set: StageSet, pipeline: Pipeline, plan: CallerPlan, id: string): Promise<void> {
  const { clock, seen } = set;
  await clock.pause(plan.atMs);
  const question = set.question(plan);
  const deadline = deadlineAfter(clock, plan.timeoutMs);
  const controller = new AbortController();
  const caller: SeenCaller = {
    id,
    plan,
    question,
    deadlineMs: clock.monotonicMs() + deadline.remainingMs(),
    signal: controller.signal,
    arrived: now(clock),
    events: [],
    hasStopped: false,
  };
  seen.callers.push(caller);
  const interrupt = (reason: "CANCELLED" | "DEADLINE_EXCEEDED") => {
    caller.aborted ??= { ...now(clock), reason };
    controller.abort(new SluiceError({ reason, stage: Stage.UNSPECIFIED, attempts: [] }));
  };
  const timers = [clock.after(deadline.remainingMs(), () => interrupt("DEADLINE_EXCEEDED"))];
  if (plan.leavesAfterMs !== undefined) timers.push(clock.after(plan.leavesAfterMs, () => interrupt("CANCELLED")));
  const { method, tenant } = plan;
  const call = testCall({
    id,
    method,
    caller: { tenant, keyId: "k", isAdmin: false },
    deadline,
    signal: controller.signal,
  });
  const input = inputOf(question, plan);
  try {
    if (method === "Complete") caller.completion = await pipeline.complete(call, input);
    else await read(clock, caller, pipeline.stream(call, input), controller.signal);
  } catch (error) {
    if (error instanceof SluiceError) caller.failure = error.failure;
    else caller.bug = error;
  } finally {
    caller.settled = now(clock);
    for (const cancel of timers) cancel();
  }
}

async function read(
  clock: VirtualClock,
  caller: SeenCaller,
  stream: ReturnType<Pipeline["stream"]>,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of stream) {
    caller.events.push(event);
    if (event.event.case === "finished") caller.completion = event.event.value.completion;
    else if (caller.events.length > (caller.plan.stopsAfterEvents ?? Number.POSITIVE_INFINITY)) {
      caller.hasStopped = true;
      break;
    }
    if (caller.plan.readEveryMs > 0) await clock.pause(caller.plan.readEveryMs, signal).catch(() => {});
  }
}

function now(clock: VirtualClock): Moment {
  return { ms: clock.monotonicMs(), order: clock.tick() };
}

function inputOf(question: QuestionPlan, { question: number, cacheMode }: CallerPlan) {
  const message = (role: Role, value: string) => ({ role, content: [{ content: { case: "text" as const, value } }] });
  const checks = question.hasChecks ? [question.output === "json" ? JSON_CHECK : TEXT_CHECK] : [];
  const text = `question ${number} ${SECRET} one two three${" word".repeat(question.words)}`;
  const earlier = Array.from({ length: question.turns }, (_, turn) => [
    message(Role.USER, `earlier question ${turn} ${"word ".repeat(20)}`),
    message(Role.ASSISTANT, `earlier answer ${turn} ${"word ".repeat(20)}`),
  ]).flat();
  const messages = [...earlier, message(question.isInvalid ? Role.UNSPECIFIED : Role.USER, text)];
  return create(CompletionInputSchema, {
    ...(question.usesPrompt ? { prompt: { name: askPrompt.name, variables: { text } } } : { messages }),
    model: question.model,
    output:
      question.output === "json"
        ? { format: { case: "json", value: { schema: CHECKED_SCHEMA, checks } } }
        : { format: { case: "text", value: { checks } } },
    context: {
      chunks: Array.from({ length: question.chunks }, (_, n) => ({
        id: `c${n}`,
        text: `chunk ${"word ".repeat(40)}`,
        score: n,
      })),
    },
    generation: { maxOutputTokens: question.maxOutputTokens },
    cache: { mode: cacheMode },
  });
}
