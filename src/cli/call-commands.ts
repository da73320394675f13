import type { Command } from "commander";
import type { CommandSettings } from "./command-settings.ts";
import { type CompleteOptions, complete } from "./complete.ts";
import { addEstimateCommand } from "./estimate-command.ts";
import { listPrompts } from "./list-prompts.ts";
import { listModels, type ModelsOptions } from "./models.ts";
import { addPromptFileCommands } from "./prompt-commands.ts";
import { chunksOption } from "./read-chunk.ts";
import { addRetrievalOptions } from "./retrieval-options.ts";
import { apiKeyOption, connect, type ServerOptions, serverOption } from "./server-options.ts";
import { addUsageCommands } from "./usage-commands.ts";
import { variablesOption } from "./variables.ts";

const COMPLETE_HELP = `
On a terminal the answer appears as it is written. A pipe or a file gets it whole, and nothing if the call fails.
Standard error shows tokens, cost, cache and attempts, or what failed and what can be done about it.

With --json standard output holds the completion; a call that fails leaves it empty, and standard error holds the status
as JSON: google.rpc.Status, with the reason, the call id and the typed details of the contract.

A value that begins with @ is read from a file, @- from standard input; @@ stands for one @. At most 1,048,576 bytes.
Values of --var are text; numbers, lists and the like are given with --vars-json.

Examples:
  $ sluice complete summarize --var text=@report.txt
  $ sluice complete summarize --var text=@report.txt --vars-json '{"sentences": 5}'
  $ sluice complete extract-invoice --version v1 --var document=@- < invoice.txt > invoice.json
  $ sluice complete classify-ticket --var ticket=@ticket.txt --feature support --user u-17
  $ sluice complete answer-with-sources --var question="How long?" --chunk handbook-3=@chapter.txt
  $ sluice complete answer-with-sources --var question="How long?" --retrieve handbook --top-k 5
  $ sluice complete summarize --var text=@report.txt --max-output-tokens 300 --timeout 20
  $ sluice complete summarize --var text=@report.txt --model sandbox/rate-limited-once --json`;

/** The commands that talk to a running server, and the prompt commands that need none beside them. */
export function addCallCommands(program: Command, { terminal, run }: CommandSettings): void {
  const command = program
    .command("complete")
    .description("call a prompt of a running server and show the answer")
    .argument("<prompt>", "name of the prompt")
    .option("--version <version>", "version of the prompt, such as v2 (default: the latest)")
    .addOption(variablesOption())
    .option("--vars-json <json>", "variables as a JSON object; digits of numbers are kept")
    .addOption(chunksOption())
    .option("--retrieve <collection>", "draw on what fits best in a collection, and show what the answer cites")
    .option("--query <text>", "what to look for (default: what the prompt names, or its last message)");
  addRetrievalOptions(command)
    .option("--model <alias>", "model to ask (default: the prompt's, then the server's)")
    .option("--feature <name>", "feature that the cost is attributed to")
    .option("--user <id>", "user that the cost is attributed to")
    .option(
      "--idempotency-key <key>",
      "name of this work: repeating the command with it is not paid again for 24 hours",
    )
    .option("--no-cache", "neither read nor write the cache")
    .option("--refresh", "ask the model, and replace what the cache has")
    .option("--only-if-cached", "answer from the cache or fail with CACHE_MISS; never costs money")
    .option("--ttl <seconds>", "how long the cache may keep the answer, 1 to 2592000 (default: the server's)")
    .option("--max-output-tokens <number>", "most tokens of the answer (default: the prompt's, then the model's)")
    .option("--timeout <seconds>", "deadline of the call, such as 30 (default: the server's)")
    .option("--json", "print the whole completion, or the status of the failure, as JSON")
    .addOption(serverOption())
    .addOption(apiKeyOption())
    .addHelpText("after", COMPLETE_HELP)
    .action(run((prompt: string, options: CompleteOptions) => complete(prompt, options, terminal)));

  program
    .command("models")
    .description("list the models of a running server with their prices")
    .option("--long", "say below what each is for, as far as the configuration does")
    .addOption(serverOption())
    .addOption(apiKeyOption())
    .action(run((options: ModelsOptions) => listModels(options, terminal)));

  addUsageCommands(program, { terminal, run }, connect);
  addEstimateCommand(program, { terminal, run }, connect);

  const prompts = program.command("prompts").description("look at prompt files");
  prompts
    .command("list")
    .description("list the prompts of a running server")
    .addOption(serverOption())
    .addOption(apiKeyOption())
    .action(run((options: ServerOptions) => listPrompts(options, terminal)));
  addPromptFileCommands(prompts, { terminal, run });
}
