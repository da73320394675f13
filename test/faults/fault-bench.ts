import { setTimeout as pause } from "node:timers/promises";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { AttemptFinished, CallFinished, LedgerRecord } from "../../src/core/ledger.ts";
import { type Script, type ScriptedUpstream, startScriptedUpstream } from "../support/scripted-upstream.ts";
import { PipelineCaller } from "./grpc-calls.ts";
import { type LogLine, type RunningService, startService } from "./running-service.ts";
import type { Input } from "./scenario-input.ts";

/** One model, priced at 1 nano-USD for a prompt token and 1,000 for a token of the answer. */
export interface Bench {
  readonly upstream: ScriptedUpstream;
  readonly service: RunningService;
  readonly caller: PipelineCaller;
}

export interface BenchSettings {
  readonly provider?: Readonly<Record<string, unknown>>;
  readonly retry?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  /** Nothing at the upstream speaks TLS: a connection is accepted and never made. */
  readonly tls?: boolean;
}

/** Starts a scripted provider, the whole service and a caller for one test; all end with it. */
export async function withBench(
  script: Script,
  settings: BenchSettings,
  test: (bench: Bench) => Promise<void>,
): Promise<void> {
  const { provider = {}, retry = {}, clock, tls = false } = settings;
  const upstream = await startScriptedUpstream(script);
  const base = tls ? upstream.url.replace("http:", "https:") : upstream.url;
  const config = {
    providers: { main: { base_url: `${base}/v1`, api_key: "sk-bench", ...provider } },
    models: { only: { provider: "main", model: "only-1", context_tokens: 8192, structured_output: "json_schema" } },
    retry,
    prices: {
      override: [{ model: "only-1", prompt_usd_per_million: "0.001", completion_usd_per_million: "1" }],
    },
  };
  try {
    const service = await startService(config, clock && { clock });
    const caller = new PipelineCaller(service.address);
    try {
      await test({ upstream, service, caller });
    } finally {
      caller.close();
      await service.stop();
    }
  } finally {
    await upstream.close();
  }
}

/** A request for text, never cached; `more` goes over it. */
export function textInput(more: Input = {}): Input {
  return {
    model: "only",
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "Name the harbours of the north." } }] }],
    cache: { mode: CacheMode.BYPASS },
    ...more,
  };
}

/** The same for a JSON object with one name. */
export function jsonInput(): Input {
  const schema = '{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}';
  return textInput({ output: { format: { case: "json", value: { schema } } } });
}

/** What a call left behind when it ended: its ledger rows and its log line. */
export interface Traces {
  readonly call: CallFinished;
  readonly attempts: readonly AttemptFinished[];
  readonly logLine: LogLine;
}

/** Waits for the traces of all calls, in the order they ended. */
export async function tracesOf({ service }: Pick<Bench, "service">, calls: number): Promise<readonly Traces[]> {
  const records = await until(async () => {
    const found = await service.ledger();
    return found.filter(isCall).length >= calls ? found : undefined;
  });
  return records.filter(isCall).map((call) => {
    const logLine = service.log.find(({ event, fields }) => event === "llm_call" && fields.call_id === call.call_id);
    if (!logLine) throw new Error(`no log line for call ${call.call_id}`);
    return { call, attempts: records.filter(isAttempt).filter(({ call_id }) => call_id === call.call_id), logLine };
  });
}

function isCall(record: LedgerRecord): record is CallFinished {
  return record.type === "call_finished";
}

function isAttempt(record: LedgerRecord): record is AttemptFinished {
  return record.type === "attempt_finished";
}

/** Asks again until there is an answer, at most for five seconds. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const endAt = performance.now() + 5_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endAt) throw new Error("what was waited for did not come");
    await pause(5);
  }
}
