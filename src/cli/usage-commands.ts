import { type Command, Option } from "commander";
import type { CommandSettings } from "./command-settings.ts";
import { apiKeyOption, serverOption } from "./server-options.ts";
import { printable, UserError } from "./terminal.ts";
import { orders, type SummaryOptions, showUsage } from "./usage.ts";
import { type CallOptions, type CallsOptions, listUsageCalls, showUsageCall } from "./usage-calls.ts";
import type { ConnectUsage } from "./usage-client.ts";
import { addUsageOptions } from "./usage-options.ts";

const SUMMARY_HELP = `
Money and tokens are those of attempts, also of calls that never ended; everything else is of calls. Times are UTC.

Examples:
  $ sluice usage --by feature
  $ sluice usage --by user,model --last 24h --order calls
  $ sluice usage --by day --from 2026-03-01 --to 2026-04-01 --csv > march.csv
  $ sluice usage calls --only-errors --feature support
  $ sluice usage call 01890000-0000-7000-8000-000000000000`;

const CALLS_HELP = `
Examples:
  $ sluice usage calls --order dearest --last 24h
  $ sluice usage calls --user u-17 --min-latency 5s --limit 100 --csv`;

const CALL_HELP = `
Examples:
  $ sluice usage call 01890000-0000-7000-8000-000000000000
  $ sluice usage call 01890000-0000-7000-8000-000000000000 --json`;

/** `sluice usage`, `usage calls` and `usage call`, which ask a running server. */
export function addUsageCommands(
  program: Command,
  { terminal, run }: CommandSettings,
  connectUsage: ConnectUsage,
): void {
  const usage = addUsageOptions(program.command("usage"))
    .description("show what calls cost, by feature, user, model, day …")
    .enablePositionalOptions()
    .addOption(
      new Option(
        "--by <names>",
        "group by these, with commas: feature, user, model, prompt, version, tenant, day, hour, error, cache",
      )
        .argParser(collect)
        .default([], "the total alone"),
    )
    .addOption(
      new Option("--order <name>", "order of the rows (default: cost, or time by day and hour)").choices(
        Object.keys(orders),
      ),
    )
    .addHelpText("after", SUMMARY_HELP)
    .allowExcessArguments()
    .action(
      run((options: SummaryOptions, { args }: Command) => {
        refuseArguments(args);
        return showUsage(options, connectUsage(options, terminal), terminal);
      }),
    );

  addUsageOptions(usage.command("calls"))
    .description("list single calls")
    .option("--only-errors", "only calls that failed")
    .option("--min-cost <dollars>", "only calls that cost at least so much")
    .option("--min-latency <time>", "only calls that took at least so long, such as 800ms or 5s")
    .addOption(
      new Option("--order <name>", "what comes first").choices(["newest", "dearest", "slowest"]).default("newest"),
    )
    .addHelpText("after", CALLS_HELP)
    .action(run((options: CallsOptions) => listUsageCalls(options, connectUsage(options, terminal), terminal)));

  usage
    .command("call")
    .description("show one call with every attempt")
    .argument("<id>", "id of the call")
    .option("--tenant <name>", "its tenant, for admins")
    .option("--json", "print the answer of the server as JSON")
    .addOption(serverOption())
    .addOption(apiKeyOption())
    .addHelpText("after", CALL_HELP)
    .action(
      run((id: string, options: CallOptions) => showUsageCall(id, options, connectUsage(options, terminal), terminal)),
    );
}

/** What stands where a command could is meant as one. @throws UserError. */
function refuseArguments([word]: readonly string[]): void {
  if (word === undefined) return;
  throw new UserError(`usage: ${printable(word)} is none of its commands, which are calls and call`);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
