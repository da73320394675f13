import { join } from "node:path";
import { createCheckCompiler } from "../adapters/cel-checks/index.ts";
import { createJsonSchemas } from "../adapters/json-schema/index.ts";
import { loadBuiltinPrompts, openPromptLibrary } from "../adapters/prompt-files/index.ts";
import type { Config } from "../config.ts";
import type { JsonSchemas } from "../core/json-schema.ts";
import type { Log } from "../core/log.ts";
import type { BuiltinPrompts, PromptLibrary } from "../core/prompt.ts";
import type { CheckCompiler } from "../core/semantic-check.ts";

export interface Prompts {
  readonly prompts: PromptLibrary;
  readonly builtins: BuiltinPrompts;
  readonly schemas: JsonSchemas;
  readonly checks: CheckCompiler;
}

/** The prompt files, watched for changes, with what compiles their schemas and checks. */
export async function openPrompts(config: Config, log: Log, stack: AsyncDisposableStack): Promise<Prompts> {
  const schemas = createJsonSchemas();
  const checks = createCheckCompiler();
  const prompts = await openPromptLibrary({
    dir: config.prompts_dir,
    servedDir: join(config.data_dir, "prompts-served"),
    schemas,
    checks,
    log,
    watch: true,
  });
  stack.defer(() => prompts.close());
  return { prompts, builtins: loadBuiltinPrompts(schemas), schemas, checks };
}
