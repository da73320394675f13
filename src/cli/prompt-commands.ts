import { type Command, Option } from "commander";
import { defaultPromptsDir } from "../config/prompts-dir.ts";
import type { CommandSettings } from "./command-settings.ts";
import { chunksOption, readChunk } from "./read-chunk.ts";
import { variablesOption, variablesText } from "./variables.ts";

interface CheckOptions {
  readonly dir?: string;
  readonly against?: string;
  readonly update?: boolean;
}

interface RenderOptions {
  readonly dir?: string;
  readonly version?: string;
  readonly var: readonly string[];
  readonly varsJson?: string;
  readonly chunk: readonly string[];
  readonly format: "text" | "json";
}

const CHECK_HELP = `
Loads every prompt, renders its samples and compares them with the golden files, and says which changes break callers.

Examples:
  $ sluice prompts check
  $ sluice prompts check --update
  $ sluice prompts check --against ../last-release/prompts`;

const RENDER_HELP = `
Values are given as for \`sluice complete\`: name=value, name=@file, name=@- for standard input.

Examples:
  $ sluice prompts render summarize --var text=@report.txt
  $ sluice prompts render answer-with-sources --var question="How long?" --chunk handbook-3=@chapter.txt`;

/** `sluice prompts check` and `render`, which read prompt files and need no server. */
export function addPromptFileCommands(prompts: Command, { terminal, run }: CommandSettings): void {
  prompts
    .command("check")
    .description("check the prompt files, their samples and their compatibility")
    .addOption(dirOption())
    .option("--against <folder>", "an earlier state of the prompts, whose versions must not have changed")
    .option("--update", "write the golden files instead of comparing them")
    .addHelpText("after", CHECK_HELP)
    .action(
      run(async ({ dir, against, update = false }: CheckOptions) => {
        const { checkPrompts, compilers } = await load();
        return checkPrompts({
          dir: dir ?? defaultPromptsDir(process.cwd()),
          ...compilers,
          ...(against === undefined ? {} : { against }),
          update,
          out: terminal.stdout,
        });
      }),
    );

  prompts
    .command("render")
    .description("fill in a prompt and print its messages")
    .argument("<prompt>", "name of the prompt")
    .option("--version <version>", "version of the prompt, such as v2 (default: the latest)")
    .addOption(variablesOption())
    .option("--vars-json <json>", "variables as a JSON object; digits of numbers are kept")
    .addOption(chunksOption())
    .addOption(new Option("--format <format>", "how to print").choices(["text", "json"]).default("text"))
    .addOption(dirOption())
    .addHelpText("after", RENDER_HELP)
    .action(
      run(async (name: string, options: RenderOptions) => {
        const { renderPrompt, compilers } = await load();
        return renderPrompt({
          dir: options.dir ?? defaultPromptsDir(process.cwd()),
          ...compilers,
          name,
          version: options.version ?? "",
          variablesText: await variablesText(options, terminal),
          chunks: await Promise.all(options.chunk.map((chunk) => readChunk(chunk, terminal))),
          format: options.format,
          out: terminal.stdout,
        });
      }),
    );
}

function dirOption(): Option {
  return new Option("--dir <folder>", "folder of the prompts (default: ./prompts, else those that ship with Sluice)");
}

/** Loaded late: the engines of schemas and checks take longer to load than most other commands take to run. */
async function load() {
  const [{ checkPrompts, renderPrompt }, { createJsonSchemas }, { createCheckCompiler }] = await Promise.all([
    import("./prompts.ts"),
    import("../adapters/json-schema/index.ts"),
    import("../adapters/cel-checks/index.ts"),
  ]);
  const compilers = { schemas: createJsonSchemas(), checks: createCheckCompiler() };
  return { checkPrompts, renderPrompt, compilers };
}
