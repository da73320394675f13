import type { Command } from "commander";
import { checkConfig } from "./check-config.ts";
import type { CommandSettings } from "./command-settings.ts";
import { createKey } from "./create-key.ts";
import { migrate } from "./migrate.ts";
import { type ServeOptions, serve } from "./serve.ts";

const SERVE_HELP = `
Without --config everything has a default: the sandbox models, embedded stores in ./data, loopback only. If they are
set, the environment variables OPENAI_API_KEY, DATABASE_URL and REDIS_URL are used.

The first log line, on standard output, has the event "listening" and the address. SIGTERM or SIGINT lets calls in
flight finish within drain_ms; a second one ends the server at once.

Examples:
  $ sluice serve
  $ sluice serve --config sluice.yaml
  $ sluice serve --listen 127.0.0.1:0`;

const MIGRATE_HELP = `
\`serve\` does the same when it starts; this does it before, and says what stands in the way. The database's user is the
service's: it owns the tables, and each collection is a table of its own. A schema that is newer than the program, or was
made with other files, is refused.

Examples:
  $ sluice migrate --config sluice.yaml
  $ DATABASE_URL=postgres://sluice@db/sluice sluice migrate`;

const KEY_HELP = `
The key goes to standard output, its entry for the configuration to standard error. Only the hash is configured; the
key is not kept anywhere.

Example:
  $ sluice key create --id billing --tenant acme`;

/** The commands that need no running server. */
export function addLocalCommands(program: Command, { terminal, run }: CommandSettings): void {
  program
    .command("serve")
    .description("start the server")
    .option("--config <file>", "configuration, YAML (default: none is needed)")
    .option("--listen <host:port>", "address, in place of the configuration's; port 0 takes a free one")
    .addHelpText("after", SERVE_HELP)
    .action(run((options: ServeOptions) => serve(options, terminal)));

  program
    .command("migrate")
    .description("bring the database to this program's schema")
    .option("--config <file>", "configuration, YAML (default: the one without a file)")
    .addHelpText("after", MIGRATE_HELP)
    .action(run((options: { config?: string }) => migrate(options, terminal)));

  program
    .command("config")
    .description("look at the configuration")
    .command("check")
    .description("show everything that is wrong with the configuration, or the whole of it with secrets as ***")
    .option("--config <file>", "configuration, YAML (default: the one without a file)")
    .action(run((options: { config?: string }) => checkConfig(options, terminal)));

  program
    .command("key")
    .description("manage API keys")
    .command("create")
    .description("make an API key")
    .requiredOption("--id <id>", "name of the key, for logs and the ledger")
    .requiredOption("--tenant <tenant>", "whose key it is")
    .option("--admin", "let its callers use AdminService: `sluice cache` and the like, for all tenants")
    .addHelpText("after", KEY_HELP)
    .action(run((options: { id: string; tenant: string; admin?: boolean }) => createKey(options, terminal)));
}
