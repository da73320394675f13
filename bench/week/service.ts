import { type ChildProcess, fork } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type WeekModel, type WeekPrice, weekFeatures, weekModels, weekTenants } from "./cast.ts";

/** The service under a clock that can be moved. */
export interface WeekService {
  /** host:port. */
  readonly address: string;
  /** Sets its time of day. */
  setTime(nowMs: number): Promise<void>;
  /** Ends it; more than once is fine. @returns what it logged as errors. */
  stop(): Promise<readonly string[]>;
}

export interface WeekSettings {
  readonly folder: string;
  readonly upstreamUrl: string;
  /** Absent: the embedded database, in the folder. */
  readonly databaseUrl?: string | undefined;
}

const program = fileURLToPath(new URL("service-process.ts", import.meta.url));

/**
 * Writes prompts and configuration into a folder and starts the service with its data there. Without a database it is
 * the embedded one, and the folder is all that another process needs to serve it.
 */
export async function startWeekService(options: WeekSettings): Promise<WeekService> {
  const file = join(options.folder, "sluice.yaml");
  // JSON is YAML.
  await writeFile(file, `${JSON.stringify(await prepareWeek(options), null, 2)}\n`);
  const child = fork(program, [file], { stdio: "inherit" });
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  const { url } = await nextMessage<{ url: string }>(child);
  let stopped: Promise<readonly string[]> | undefined;
  const stop = async () => {
    const ended = once(child, "exit");
    const { faults } = await ask<{ faults: readonly string[] }>(child, { stop: true });
    await ended;
    return faults;
  };
  return {
    address: new URL(url).host,
    setTime: async (nowMs) => void (await ask(child, { nowMs })),
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

function ask<Answer>(child: ChildProcess, question: object): Promise<Answer> {
  const answer = nextMessage<Answer>(child);
  child.send(question);
  return answer;
}

/** The next message of our own program, whose shape is known. */
function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const gone = (code: unknown) => reject(new Error(`the service ended with ${code}`));
    child.once("exit", gone);
    child.once("message", (message) => {
      child.off("exit", gone);
      resolve(message as Message);
    });
  });
}

/** Writes the prompts. @returns what sluice.yaml is to hold. */
export async function prepareWeek({ folder, upstreamUrl, databaseUrl }: WeekSettings) {
  await writePrompts(join(folder, "prompts"));
  const models: readonly WeekModel[] = weekModels;
  return {
    listen: "127.0.0.1:0",
    data_dir: join(folder, "data"),
    prompts_dir: join(folder, "prompts"),
    ...(databaseUrl !== undefined && { database_url: databaseUrl }),
    auth: {
      api_keys: weekTenants.map(({ name, key, isAdmin }) => ({
        id: `key-of-${name}`,
        tenant: name,
        sha256: hash("sha256", key),
        admin: isAdmin,
      })),
    },
    providers: { main: { base_url: `${upstreamUrl}/v1`, api_key: "sk-week", max_concurrency: 512 } },
    models: Object.fromEntries(
      models.map(({ alias, providerModel, fallbacks = [] }) => [
        alias,
        { provider: "main", model: providerModel, context_tokens: 128_000, max_output_tokens: 4_096, fallbacks },
      ]),
    ),
    retry: { max_attempts: 4, backoff_base_ms: 5, backoff_max_ms: 20 },
    prices: { override: models.flatMap(({ providerModel, price }) => (price ? [override(providerModel, price)] : [])) },
  };
}

function override(model: string, price: WeekPrice) {
  return {
    model,
    ...usdPerMillion(price),
    ...(price.fee !== undefined && { usd_per_thousand_requests: price.fee }),
    ...(price.long && {
      long_prompts: [{ above_prompt_tokens: price.long.abovePromptTokens, ...usdPerMillion(price.long) }],
    }),
  };
}

function usdPerMillion({ prompt, cached, written, completion, reasoning }: Omit<WeekPrice, "long" | "fee">) {
  return {
    prompt_usd_per_million: prompt,
    cached_prompt_usd_per_million: cached,
    ...(written !== undefined && { cache_write_usd_per_million: written }),
    completion_usd_per_million: completion,
    ...(reasoning !== undefined && { reasoning_usd_per_million: reasoning }),
  };
}

async function writePrompts(dir: string): Promise<void> {
  const schema = {
    type: "object",
    properties: { text: { type: "string" } },
    required: ["text"],
    additionalProperties: false,
  };
  for (const { name, versions, model } of weekFeatures) {
    if (versions.length === 0) continue;
    await mkdir(join(dir, name), { recursive: true });
    for (const version of versions) {
      const front = { description: name, model, input: { schema }, example: { text: "Anything." } };
      // JSON is YAML.
      const text = `---\n${JSON.stringify(front)}\n---\n@system\nAnswer in a sentence, as ${version} does.\n\n@user\n{{text}}\n`;
      await writeFile(join(dir, name, `${version}.prompt`), text);
    }
  }
}
