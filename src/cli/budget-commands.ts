import type { Command } from "commander";
import { type BudgetsOptions, showBudgets } from "./budgets.ts";
import type { CommandSettings } from "./command-settings.ts";
import { apiKeyOption, serverOption } from "./server-options.ts";

const HELP = `
Shows every budget and limit that concerns the tenant, and its fullest buckets, at most 100 of each. What was spent
before the server that answers began is asked of the ledger; what another server did a moment ago may not have reached it.
Limits per minute show what that server saw itself; buckets that are empty again are not shown.

Examples:
  $ sluice budgets
  $ sluice budgets --all-tenants --api-key-env SLUICE_OPS_KEY
  $ sluice budgets --json`;

/** The command for the budgets of a running server. */
export function addBudgetCommands(program: Command, { terminal, run }: CommandSettings): void {
  program
    .command("budgets")
    .description("show what is left of budgets and limits")
    .option("--tenant <tenant>", "of this tenant, for admins (default: the key's own)")
    .option("--all-tenants", "of all tenants, for admins")
    .option("--json", "print the answer, or the status of the failure, as JSON")
    .addOption(serverOption())
    .addOption(apiKeyOption())
    .addHelpText("after", HELP)
    .action(run((options: BudgetsOptions) => showBudgets(options, terminal)));
}
