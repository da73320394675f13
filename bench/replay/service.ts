import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../test/support/running-server.ts";
import {
  chunk,
  events,
  type ScriptedStep,
  startScriptedUpstream,
  usageChunk,
} from "../../test/support/scripted-upstream.ts";
import { answerTo } from "./answers.ts";
import { features, models } from "./features.ts";

/** How long the model takes for an answer. */
const MODEL_MS = 20;
const TEXT = "A piece of an answer that says little. ";
const CHARACTERS_OF_A_TOKEN = 4;

/** The service in some processes, and the model that they ask. */
export interface Service {
  readonly servers: readonly RunningServer[];
  /** What the model was paid so far, by its own count. */
  paid(): { readonly calls: number; readonly costNanoUsd: number };
  stop(): Promise<void>;
}

/** What is different from setting to setting. */
export interface ServiceSettings {
  readonly processes: number;
  readonly memoryMb: number;
  readonly redisUrl: string | undefined;
}

/** Starts the service with a prompt for each feature, and a model that answers by the question's name. */
export async function startService({ processes, memoryMb, redisUrl }: ServiceSettings): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-replay-"));
  const paid = { calls: 0, costNanoUsd: 0 };
  const upstream = await startScriptedUpstream(({ body }) => {
    const { question, feature } = questionIn(body);
    const answer = answerTo(question, feature);
    paid.calls += 1;
    paid.costNanoUsd += answer.costNanoUsd;
    return modelAnswer(answer);
  });
  const servers: RunningServer[] = [];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await upstream.close();
    await rm(folder, { recursive: true });
  };
  try {
    await writePrompts(folder);
    const config = {
      // What is charged stays in the spool: a database would be measured with the rest.
      database_url: "postgres://127.0.0.1:1/away",
      prompts_dir: folder,
      ...(redisUrl !== undefined && { redis_url: redisUrl }),
      cache: { memory_mb: memoryMb },
      providers: { main: { base_url: `${upstream.url}/v1`, api_key: "sk-replay", max_concurrency: 1_000 } },
      models: Object.fromEntries(Object.keys(models).map((name) => [name, modelConfig(name)])),
      prices: { override: Object.entries(models).map(([name, price]) => ({ model: name, ...usdPerMillion(price) })) },
    };
    const starting = Array.from({ length: processes }, () => startServer({ config }));
    for (const server of await Promise.allSettled(starting))
      if (server.status === "fulfilled") servers.push(server.value);
    // All that did start are ended with the rest where one did not.
    await Promise.all(starting);
  } catch (error) {
    await stop();
    throw error;
  }
  return { servers, paid: () => ({ ...paid }), stop };
}

/** The text of a question, as long as its feature's are. */
export function questionText(question: string, tokens: number): string {
  return `[${question}] `.padEnd(tokens * CHARACTERS_OF_A_TOKEN, "What else there is to say about it. ");
}

function questionIn(body: string) {
  const question = /\[([a-z-]+?-(?:once-)?[0-9]+)\]/.exec(body)?.[1];
  const feature = features.find(({ name }) => question?.startsWith(`${name}-`));
  if (question === undefined || !feature) throw new Error("the model was asked what nobody asks");
  return { question, feature };
}

function modelAnswer({ promptTokens, completionTokens }: ReturnType<typeof answerTo>): ScriptedStep {
  const text = TEXT.repeat(Math.ceil((completionTokens * CHARACTERS_OF_A_TOKEN) / TEXT.length));
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
  const sse = [chunk({ role: "assistant", content: text }), chunk({}, "stop"), usageChunk(usage), { data: "[DONE]" }];
  return events(sse, { delay_ms: MODEL_MS });
}

async function writePrompts(folder: string): Promise<void> {
  for (const { name, system, model } of features) {
    const schema = {
      type: "object",
      properties: { text: { type: "string" } },
      required: ["text"],
      additionalProperties: false,
    };
    const front = { description: system, model, input: { schema }, example: { text: "Anything." } };
    await mkdir(join(folder, name));
    // JSON is YAML.
    const prompt = `---\n${JSON.stringify(front)}\n---\n@system\n${system}\n\n@user\n{{text}}\n`;
    await writeFile(join(folder, name, "v1.prompt"), prompt);
  }
}

function modelConfig(name: string) {
  return { provider: "main", model: name, context_tokens: 200_000, max_output_tokens: 8_192 };
}

function usdPerMillion({ promptNanoUsd, completionNanoUsd }: (typeof models)[keyof typeof models]) {
  return {
    prompt_usd_per_million: String(promptNanoUsd / 1_000),
    completion_usd_per_million: String(completionNanoUsd / 1_000),
  };
}
