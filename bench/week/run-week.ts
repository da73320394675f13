import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { type SeenCall, WeekCaller } from "./callers.ts";
import { weekTenants } from "./cast.ts";
import { differences, drained, type Range } from "./compare.ts";
import { type PlannedCall, planWeek, type Tick } from "./plan.ts";
import { estimatedPrompt } from "./price-tag.ts";
import { Recount, type Sums } from "./recount.ts";
import { startWeekService, type WeekService } from "./service.ts";
import { startWeekUpstream, type WeekUpstream } from "./upstream.ts";

const SEED = 7;
const DAY_MS = 24 * 3_600_000;
/** Calls under way at once within a moment of the week. */
const CONCURRENCY = 64;

export interface WeekOptions {
  readonly calls: number;
  /** For prompts, configuration and data. */
  readonly folder: string;
  /** Absent: the embedded database, in the folder. */
  readonly databaseUrl?: string;
}

/** What a week came to. */
export interface Week {
  readonly seen: readonly SeenCall[];
  readonly requests: number;
  readonly total: Sums | undefined;
  /** How long the calls took, and how long after them the last of their rows was stored. */
  readonly callsMs: number;
  readonly drainMs: number;
  /** Where `SummarizeUsage` or what callers were told is not what the provider's log says. Nothing, as it should be. */
  readonly differences: readonly string[];
  /** What the service logged as errors. */
  readonly faults: readonly string[];
}

/**
 * Plays a week of calls through the whole service, as fast as it goes: its clock is moved from quarter to quarter of an
 * hour. The week is the seven UTC days before this one. Then its sums are compared with a recount.
 */
export async function runWeek({ calls, folder, databaseUrl }: WeekOptions): Promise<Week> {
  await using stack = new AsyncDisposableStack();
  const upstream = await startWeekUpstream();
  stack.defer(() => upstream.close());
  const service = await startWeekService({ folder, upstreamUrl: upstream.url, databaseUrl });
  stack.defer(async () => void (await service.stop()));
  const callers = new Map(weekTenants.map((tenant) => [tenant.name, new WeekCaller(service.address, tenant)]));
  stack.defer(() => {
    for (const caller of callers.values()) caller.close();
  });
  const week = await playAndCompare({ service, upstream, callers }, calls);
  return { ...week, faults: await service.stop() };
}

interface Stage {
  readonly service: WeekService;
  readonly upstream: WeekUpstream;
  readonly callers: ReadonlyMap<string, WeekCaller>;
}

async function playAndCompare(stage: Stage, calls: number): Promise<Omit<Week, "faults">> {
  const toMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const range = { fromMs: toMs - 7 * DAY_MS, toMs };
  const admin = callerOf(stage, "north");
  await countsExactly(admin);
  const startMs = performance.now();
  const seen: SeenCall[] = [];
  for (const tick of planWeek(calls, SEED)) seen.push(...(await playTick(stage, tick, range)));
  const endMs = performance.now();
  await drained(admin, range, calls);
  const drainedMs = performance.now();
  const recount = new Recount(stage.upstream.log, seen);
  return {
    seen,
    requests: stage.upstream.log.length,
    total: recount.sumBy([]).get("[]"),
    callsMs: endMs - startMs,
    drainMs: drainedMs - endMs,
    differences: [...recount.contradictions, ...(await differences(admin, range, recount))],
  };
}

/** Plays the calls of one moment; all have ended before the clock goes on, so that none has two times. */
async function playTick(stage: Stage, { atMs, calls }: Tick, range: Range): Promise<SeenCall[]> {
  if (calls.length === 0) return [];
  const nowMs = range.fromMs + atMs;
  await stage.service.setTime(nowMs);
  for (const { question } of calls) stage.upstream.ask(question);
  const seen: SeenCall[] = [];
  const waiting = calls.values();
  const worker = async () => {
    for (const call of waiting) seen.push(await play(stage, call, nowMs));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return seen;
}

function play(stage: Stage, call: PlannedCall, nowMs: number): Promise<SeenCall> {
  const { id, kind } = call.question;
  const left = kind === "left_unary" ? stage.upstream.received(id) : undefined;
  return callerOf(stage, call.tenant.name).complete(call, nowMs, left);
}

function callerOf({ callers }: Stage, tenant: string): WeekCaller {
  const caller = callers.get(tenant);
  if (!caller) throw new Error(`there is no tenant ${tenant}`);
  return caller;
}

const PROBE = "It sails at nine, whatever the weather.";

/** Until its vocabulary is loaded the service estimates tokens from bytes, which no recount could follow. */
async function countsExactly(caller: WeekCaller): Promise<void> {
  const content = [{ content: { case: "text" as const, value: PROBE } }];
  const input = { model: "small", messages: [{ role: Role.USER, content }] };
  const tokens = estimatedPrompt([PROBE]);
  for (let tries = 0; tries < 300; tries += 1) {
    const { explanation } = await caller.ask(PipelineService.method.explain, { input });
    if (Number(explanation?.budget?.promptTokens) === tokens) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the service does not count tokens as the recount does");
}
