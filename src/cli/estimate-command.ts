import { type Command, Option } from "commander";
import type { CommandSettings } from "./command-settings.ts";
import { type EstimateClient, type EstimateOptions, estimate } from "./estimate.ts";
import { apiKeyOption, type ServerOptions, serverOption } from "./server-options.ts";
import type { Terminal } from "./terminal.ts";
import { variablesOption } from "./variables.ts";

const HELP = `
Tokens are given, or counted in the samples of a prompt, or measured from the calls of a feature. Calls that the cache
answers cost nothing. A month has 30.4375 days. docs/cost.md has the formula, with examples by hand.

A sample is name=value, name=@file or name=@- for standard input, beside what --var gives to all of them; or a JSON
object with all variables, or @file that holds one.

Examples:
  $ sluice estimate --model fast --model smart --requests-per-day 10000 --prompt-tokens 1200 --completion-tokens 300
  $ sluice estimate summarize --sample text=@a.txt --sample text=@b.txt --requests-per-day 500 --completion-tokens 200
  $ sluice estimate --feature support --model fast --requests-per-day 10000 --csv > support.csv`;

/** `sluice estimate`, which asks a running server: `connect` finds it. */
export function addEstimateCommand(
  program: Command,
  { terminal, run }: CommandSettings,
  connect: (options: ServerOptions, terminal: Terminal) => EstimateClient,
): void {
  program
    .command("estimate")
    .description("say what calls would cost, for several models side by side")
    .argument("[prompt]", "name of a prompt whose samples are counted")
    .requiredOption("--requests-per-day <number>", "calls a day, those that the cache answers included")
    .addOption(
      new Option("--model <alias>", "model to estimate; may be repeated")
        .argParser(collect)
        .default([], "the prompt's, then the server's"),
    )
    .option("--version <version>", "version of the prompt, such as v2 (default: the latest)")
    .addOption(
      new Option("--sample <name=value>", "an input of the prompt; may be repeated")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(variablesOption())
    .option("--prompt-tokens <number>", "tokens of a prompt, cached ones included")
    .option("--completion-tokens <number>", "tokens of an answer, reasoning included (default: measured)")
    .option("--reasoning-tokens <number>", "how many of those are reasoning")
    .option("--cached-prompt-rate <rate>", "share of the prompt that the provider's own cache answers, 0 to 1")
    .option(
      "--cache-hit-rate <rate>",
      "share of calls that cost nothing, 0 to 1 (default: measured with --feature, else 0)",
    )
    .option("--attempts-per-call <number>", "paid attempts of a call (default: measured with --feature, else 1)")
    .option("--feature <name>", "feature whose calls are measured")
    .option("--days <number>", "how many days of calls are measured (default: 30)")
    .option("--json", "print the whole estimate, or the status of the failure, as JSON")
    .option("--csv", "print a line of CSV for each model")
    .addOption(serverOption())
    .addOption(apiKeyOption())
    .addHelpText("after", HELP)
    .action(
      run((prompt: string | undefined, options: EstimateOptions) =>
        estimate(connect(options, terminal), prompt, options, terminal),
      ),
    );
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
