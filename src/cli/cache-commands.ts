import type { Command } from "commander";
import { type PurgeOptions, purgeCache, type StatsOptions, showCacheStats } from "./cache.ts";
import type { CommandSettings } from "./command-settings.ts";
import { apiKeyOption, serverOption } from "./server-options.ts";

const STATS_HELP = `
Shows what the cache did since the start of the process that answers, for all tenants together. Of the shared layer
entries, size and evictions are known to Redis alone.

Examples:
  $ sluice cache stats
  $ sluice cache stats --json --api-key-env SLUICE_OPS_KEY`;

const PURGE_HELP = `
Purges answers of one tenant, by default that of the key, or of all tenants: those that fit every one of --prompt,
--version and --model, or with --everything all of them. Other processes on the same Redis forget them too.

It ends with 3 where Redis went away before it was done: what was purged until then stays purged, repeat the command.

Examples:
  $ sluice cache purge --everything
  $ sluice cache purge --prompt summarize --version v2 --all-tenants
  $ sluice cache purge --tenant acme --model fast --api-key-env SLUICE_OPS_KEY`;

/** The commands for the cache of a running server. They need a key with `admin: true`, where the server has keys. */
export function addCacheCommands(program: Command, { terminal, run }: CommandSettings): void {
  const cache = program.command("cache").description("look at the cache of a running server, and purge it");
  cache
    .command("stats")
    .description("show what the cache did and what it saved")
    .option("--json", "print the whole status, or the status of the failure, as JSON")
    .addOption(serverOption())
    .addOption(apiKeyOption())
    .addHelpText("after", STATS_HELP)
    .action(run((options: StatsOptions) => showCacheStats(options, terminal)));
  cache
    .command("purge")
    .description("remove stored answers")
    .option("--tenant <tenant>", "whose answers (default: those of the key's own tenant)")
    .option("--all-tenants", "the answers of all tenants")
    .option("--prompt <name>", "answers of this prompt")
    .option("--version <version>", "answers of this version of the prompt, such as v2 (default: of all)")
    .option("--model <alias>", "answers of this model, as the one asked for or the one that answered")
    .option("--everything", "all answers")
    .option("--json", "print what was purged, or the status of the failure, as JSON")
    .addOption(serverOption())
    .addOption(apiKeyOption())
    .addHelpText("after", PURGE_HELP)
    .action(run((options: PurgeOptions) => purgeCache(options, terminal)));
}
