import { Command, CommanderError } from "commander";
import { packageVersion } from "../config/package-dir.ts";
import { addBudgetCommands } from "./budget-commands.ts";
import { addCacheCommands } from "./cache-commands.ts";
import { addCallCommands } from "./call-commands.ts";
import type { CommandSettings } from "./command-settings.ts";
import { addCorpusCommands } from "./corpus-commands.ts";
import { addLocalCommands } from "./local-commands.ts";
import { reportError } from "./report-error.ts";
import { exitCode, type Terminal } from "./terminal.ts";

const EXAMPLES = `
Examples:
  $ sluice serve
  $ sluice complete summarize --var text=@report.txt
  $ sluice complete extract-invoice --var document=@- --model fast < invoice.txt > invoice.json
  $ sluice config check --config sluice.yaml

Exit codes: 0 done, 1 failed, 2 the command, its input or the configuration is wrong, 3 try again later.
SLUICE_DEBUG=1 shows where an error comes from.`;

/** Runs one command, `args` without the names of program and script, and resolves to its exit code. Never rejects. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = exitCode.ok;
  const program = new Command("sluice")
    .version(packageVersion(), "-V, --version", "display the version of Sluice")
    .description("LLM calls in production behind one strict gRPC contract.")
    .addHelpText("after", EXAMPLES)
    .enablePositionalOptions()
    .showSuggestionAfterError();
  const settings: CommandSettings = {
    terminal,
    run:
      (action) =>
      async (...given) => {
        code = await action(...given);
      },
  };
  addLocalCommands(program, settings);
  addCallCommands(program, settings);
  addCorpusCommands(program, settings);
  addBudgetCommands(program, settings);
  addCacheCommands(program, settings);
  configure(program, terminal);
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // Commander has printed what it refuses, and the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    return reportError(error, terminal);
  }
}

/** Commander would write to the process and end it; all of its commands must be told. */
function configure(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .showHelpAfterError(`(sluice ${pathOf(command)}--help shows what is possible)`);
  for (const child of command.commands) configure(child, terminal);
}

function pathOf(command: Command): string {
  return command.parent === null ? "" : `${pathOf(command.parent)}${command.name()} `;
}
