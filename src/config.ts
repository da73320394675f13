import { resolve } from "node:path";
import { behaviours } from "./adapters/sandbox/behaviours.ts";
import { localEmbeddingAlias } from "./config/alias.ts";
import { checkBudgets } from "./config/check-budgets.ts";
import { checkFiles } from "./config/check-files.ts";
import { checkModels } from "./config/check-models.ts";
import { checkServer } from "./config/check-server.ts";
import { type Environment, replaceEnvironment } from "./config/environment.ts";
import { fillEmbeddingModels, fillModels, fillProvider } from "./config/fill-models.ts";
import { parseConfig } from "./config/parse.ts";
import { ConfigError, type Problem } from "./config/problem.ts";
import { defaultPromptsDir } from "./config/prompts-dir.ts";
import { readConfigFile } from "./config/read-file.ts";
import type { Config, ParsedConfig } from "./config/schema.ts";
import { zeroConfig } from "./config/zero-config.ts";

export { type ListenAddress, parseListenAddress } from "./config/listen-address.ts";
export { ConfigError, type Problem } from "./config/problem.ts";
export type { Config, EmbeddingModelConfig, ModelConfig, ProviderConfig } from "./config/schema.ts";
export { shownConfig } from "./config/show.ts";

export interface LoadOptions {
  /** YAML, at most 1 MiB. Absent: the configuration that needs none, with what a few variables add. */
  readonly file?: string;
  /** `host:port`, in place of the file's `listen`. */
  readonly listen?: string;
  readonly env: Environment;
  /** Where relative paths begin. Default: the working directory of the process. */
  readonly workingDir?: string;
}

/**
 * The configuration, complete and checked, against this machine's files too. Nothing is opened or created.
 * @throws ConfigError with everything that is wrong with it, at once.
 */
export function loadConfig({ file, listen, env, workingDir = process.cwd() }: LoadOptions): Config {
  const source = file ?? "configuration";
  const written = file === undefined ? zeroConfig(env) : readConfigFile(file);
  const { value, problems: environmentProblems } = replaceEnvironment(withListen(written, listen), env);
  const reported = new Set(environmentProblems.map(({ path }) => path));
  const { config: parsed, problems: keyProblems } = parseConfig(value, reported);
  const config = withAbsolutePaths(parsed, workingDir);
  const { models, problems: windowProblems } = fillModels(config);
  const problems = firstOfEachPath([
    ...environmentProblems,
    ...keyProblems,
    ...checkServer(value, config),
    ...checkBudgets(value),
    ...checkModels({ raw: value, sandboxAliases: config.sandbox ? behaviours.map(({ name }) => name) : [] }),
    ...windowProblems,
    ...checkFiles(config),
  ]);
  if (problems.length > 0) throw new ConfigError(source, problems);
  const embeddingModels = fillEmbeddingModels(config);
  return {
    ...config,
    providers: mapValues(config.providers, fillProvider),
    models,
    embedding_models: embeddingModels,
    defaults: {
      ...config.defaults,
      model: config.defaults.model ?? Object.keys(models)[0] ?? DEFAULT_SANDBOX_MODEL,
      embedding_model: config.defaults.embedding_model ?? Object.keys(embeddingModels)[0] ?? localEmbeddingAlias,
    },
  };
}

const DEFAULT_SANDBOX_MODEL = "sandbox/extract";

/** A value that is wrong in itself is not worth a second message about how it goes with others. */
function firstOfEachPath(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ path }) => path === "" || (!seen.has(path) && seen.add(path)));
}

function withListen(written: unknown, listen: string | undefined): unknown {
  if (listen === undefined || typeof written !== "object" || written === null || Array.isArray(written)) return written;
  return { ...written, listen };
}

function withAbsolutePaths(config: ParsedConfig, workingDir: string): ParsedConfig & { prompts_dir: string } {
  const absolute = (path: string) => resolve(workingDir, path);
  const { tls, data_dir, prompts_dir, ...rest } = config;
  return {
    ...rest,
    data_dir: absolute(data_dir),
    prompts_dir: prompts_dir === undefined ? defaultPromptsDir(workingDir) : absolute(prompts_dir),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            cert: absolute(tls.cert),
            key: absolute(tls.key),
            ...(tls.client_ca === undefined ? {} : { client_ca: absolute(tls.client_ca) }),
          },
        }),
  };
}

function mapValues<Value, Result>(from: Record<string, Value>, map: (value: Value) => Result): Record<string, Result> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, map(value)]));
}
