import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Command, Option } from "commander";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { apiKeyOption, type ServerOptions, serverOption } from "./server-options.ts";
import { UserError } from "./terminal.ts";

/** What the summary and the list of calls are asked with. */
export interface UsageOptions extends ServerOptions {
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly feature: readonly string[];
  readonly user: readonly string[];
  readonly model: readonly string[];
  readonly prompt: readonly string[];
  readonly promptVersion: readonly string[];
  readonly errorReason: readonly string[];
  readonly cache: readonly string[];
  readonly synthetic?: "only" | "none";
  readonly tenant?: string;
  readonly allTenants?: boolean;
  readonly limit?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

const filters = [
  ["--feature <name>", "only calls of this feature; may be given several times, like all of these"],
  ["--user <id>", "only calls of this user"],
  ["--model <alias>", "only this model: of money the one that was paid, of calls the one that was asked"],
  ["--prompt <name>", "only calls of this prompt"],
  ["--prompt-version <version>", "only calls of this version"],
  ["--error, --error-reason <reason>", "only calls that failed for this reason, such as RATE_LIMITED"],
  ["--cache <status>", "only calls answered so: miss, memory_hit, shared_hit, joined, bypassed, replayed"],
] as const;

export function addUsageOptions(command: Command): Command {
  command
    .option("--from <time>", "calls that began then or later, such as 2026-03-01 or 2026-03-01T12:00Z (UTC)")
    .option("--to <time>", "calls that began before (default: now)")
    .option("--last <span>", "the last days or hours, such as 7d or 24h (default: seven UTC days)");
  const collect = (value: string, before: readonly string[]) => [...before, value];
  for (const [flags, description] of filters) {
    command.addOption(new Option(flags, description).argParser(collect).default([], "all"));
  }
  command
    .addOption(
      new Option("--synthetic <which>", "calls that the sandbox answered, or was to answer").choices(["only", "none"]),
    )
    .option("--tenant <name>", "calls of this tenant, for admins")
    .option("--all-tenants", "calls of all tenants, for admins")
    .option("--limit <number>", "most rows")
    .option("--csv", "print CSV, with every digit")
    .option("--json", "print the answer of the server as JSON")
    .addOption(serverOption())
    .addOption(apiKeyOption());
  return command;
}

const HOUR_MS = 3_600_000;
const spanUnits: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS };

/** The fields that both requests have. @throws UserError naming the option. */
export function requestOf(options: UsageOptions, nowMs: number) {
  if (options.csv && options.json) throw new UserError("--csv and --json: only one of them");
  if (options.tenant !== undefined && options.allTenants)
    throw new UserError("--tenant and --all-tenants: only one of them");
  return {
    ...timesOf(options, nowMs),
    scope: { tenant: options.tenant ?? "", allTenants: options.allTenants ?? false },
    filter: {
      features: [...options.feature],
      users: [...options.user],
      models: [...options.model],
      promptNames: [...options.prompt],
      promptVersions: [...options.promptVersion],
      errorReasons: options.errorReason.map((reason) => reason.toUpperCase()),
      cacheStatuses: options.cache.map(cacheStatus),
      ...(options.synthetic !== undefined && { synthetic: options.synthetic === "only" }),
    },
  };
}

function timesOf({ from, to, last }: UsageOptions, nowMs: number) {
  if (last !== undefined) {
    if (from !== undefined) throw new UserError("--last and --from: only one of them");
    const [, count = "", unit = ""] = /^([1-9][0-9]{0,4})([hd])$/.exec(last) ?? [];
    const spanMs = Number(count) * (spanUnits[unit] ?? Number.NaN);
    if (!(spanMs > 0)) throw new UserError("--last: must be a number of days or hours, such as 7d or 24h");
    const toMs = to === undefined ? nowMs : timeOf("--to", to);
    return { from: timestampFromMs(Math.max(0, toMs - spanMs)), to: timestampFromMs(toMs) };
  }
  return {
    ...(from !== undefined && { from: timestampFromMs(timeOf("--from", from)) }),
    ...(to !== undefined && { to: timestampFromMs(timeOf("--to", to)) }),
  };
}

const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/** Without a zone it is UTC. */
function timeOf(option: string, text: string): number {
  const [, year, month, day] = TIME.exec(text) ?? [];
  const hasZone = /(?:Z|[+-]\d{2}:\d{2})$/.test(text) && text.includes("T");
  const date = `${year}-${month}-${day}`;
  if (year !== undefined && !isDay(date)) throw new UserError(`${option}: ${date} is not a day of the calendar`);
  const ms = year === undefined ? Number.NaN : Date.parse(text.includes("T") && !hasZone ? `${text}Z` : text);
  if (Number.isNaN(ms))
    throw new UserError(`${option}: must be a date or a time, such as 2026-03-01 or 2026-03-01T12:00Z`);
  if (ms < 0) throw new UserError(`${option}: must be in the years 1970 to 9999`);
  return ms;
}

/** The runtime takes February 30 for March 2, and February 32 for no time at all. */
function isDay(date: string): boolean {
  const ms = Date.parse(date);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

function cacheStatus(word: string): CacheStatus {
  const statuses: Readonly<Record<string, CacheStatus>> = CacheStatus;
  const name = word.toUpperCase().replaceAll("-", "_");
  const found = Object.hasOwn(statuses, name) ? statuses[name] : undefined;
  if (found === undefined) {
    throw new UserError("--cache: must be miss, memory_hit, shared_hit, joined, bypassed or replayed");
  }
  return found;
}

/** @throws UserError for what is no whole number from 1 to `most`. */
export function limitOf(limit: string | undefined, most: number): number {
  if (limit === undefined) return 0;
  const number = /^[0-9]{1,6}$/.test(limit) ? Number(limit) : 0;
  if (number < 1 || number > most) throw new UserError(`--limit: must be a whole number from 1 to ${most}`);
  return number;
}
