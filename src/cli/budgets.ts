import { toJsonString } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type BudgetBucket,
  BudgetPeriodSchema,
  BudgetScopeSchema,
  type BudgetStatus,
  BudgetUnit,
  BudgetUnitSchema,
} from "../../gen/sluice/v1/budget_pb.ts";
import { type ListBudgetsResponse, ListBudgetsResponseSchema } from "../../gen/sluice/v1/usage_service_pb.ts";
import { RemoteError } from "../rpc/client.ts";
import { enumWords } from "./enum-name.ts";
import { failureJson } from "./failure-text.ts";
import { connect, type ServerOptions } from "./server-options.ts";
import { tableText } from "./table.ts";
import { exitCode, type Terminal, UserError } from "./terminal.ts";
import { grouped, moneyText } from "./usage-money.ts";

export interface BudgetsOptions extends ServerOptions {
  readonly tenant?: string;
  readonly allTenants?: boolean;
  readonly json?: boolean;
}

/** `sluice budgets`: what is left of budgets and limits. */
export async function showBudgets(options: BudgetsOptions, terminal: Terminal): Promise<number> {
  const { tenant, allTenants = false, json = false } = options;
  if (tenant === "") throw new UserError("--tenant: must not be empty");
  if (tenant !== undefined && allTenants) throw new UserError("--tenant and --all-tenants exclude each other");
  const client = connect(options, terminal);
  try {
    const answer = await client.listBudgets({ scope: { tenant: tenant ?? "", allTenants } });
    const asJson = () =>
      `${toJsonString(ListBudgetsResponseSchema, answer, { prettySpaces: 2, alwaysEmitImplicit: true })}\n`;
    terminal.stdout.write(json ? asJson() : budgetsText(answer));
    return exitCode.ok;
  } catch (error) {
    if (!json || !(error instanceof RemoteError)) throw error;
    const { text, exit } = failureJson(error);
    terminal.stderr.write(`${text}\n`);
    return exit;
  }
}

/** A line for each budget, and under it one for each of its buckets. */
export function budgetsText({ budgets }: ListBudgetsResponse): string {
  if (budgets.length === 0) return "no budgets or limits are configured\n";
  const rows = budgets.flatMap((budget) => [
    headOf(budget),
    ...budget.buckets.map((bucket) => rowOf(bucket, budget)),
    ...restOf(budget),
  ]);
  return tableText([["", "spent", "held back", "limit", "used", "resets", ""], ...rows]);
}

function headOf(budget: BudgetStatus): string[] {
  const { scope, period, soft, tenant, only } = budget;
  const named = [...(tenant === "" ? [] : [`of ${tenant}`]), ...(only.length === 0 ? [] : [`only ${only.join(", ")}`])];
  const what = `each ${enumWords(BudgetScopeSchema, scope)} a ${enumWords(BudgetPeriodSchema, period)}`;
  return [[what, ...named].join(", "), "", "", amountText(budget.limit, budget), "", "", soft ? "soft" : ""];
}

function rowOf(bucket: BudgetBucket, budget: BudgetStatus): string[] {
  const { tenant, name, isOverflow, spent, reserved, share, resetTime, unpricedAttempts } = bucket;
  const who = isOverflow ? "(all later names)" : name === "" ? "(none)" : name;
  return [
    `- ${tenant === name ? tenant : `${tenant}/${who}`}`,
    amountText(spent, budget),
    reserved === 0n ? "" : amountText(reserved, budget),
    "",
    `${(100 * share).toFixed(1)} %`,
    resetTime ? timestampDate(resetTime).toISOString() : "",
    unpricedAttempts === 0n ? "" : `${unpricedAttempts} attempts of unknown price are not in it`,
  ];
}

function restOf({ buckets, bucketCount, partial, unit }: BudgetStatus): string[][] {
  const left = bucketCount - BigInt(buckets.length);
  const others =
    unit === BudgetUnit.NANO_USD
      ? "  perhaps more: the ledger did not tell all, or names share a bucket"
      : "  perhaps more, which other servers have met";
  return [...(left > 0n ? [[`  and ${grouped(left)} more`]] : []), ...(partial ? [[others]] : [])];
}

function amountText(amount: bigint, { unit }: BudgetStatus): string {
  return unit === BudgetUnit.NANO_USD ? moneyText(amount) : `${grouped(amount)} ${enumWords(BudgetUnitSchema, unit)}`;
}
