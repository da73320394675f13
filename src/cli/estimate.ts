import { type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { type CostEstimate, CostEstimateSchema, type EstimateInputSchema } from "../../gen/sluice/v1/estimate_pb.ts";
import { RemoteError } from "../rpc/client.ts";
import { estimateCsv } from "./estimate/csv.ts";
import { estimateTable } from "./estimate/table.ts";
import { failureJson } from "./failure-text.ts";
import type { ServerOptions } from "./server-options.ts";
import { exitCode, type Terminal, UserError } from "./terminal.ts";
import { variablesText } from "./variables.ts";

type EstimateInit = MessageInitShape<typeof EstimateInputSchema>;

export interface EstimateOptions extends ServerOptions {
  readonly requestsPerDay: string;
  readonly model: readonly string[];
  readonly version?: string;
  readonly sample: readonly string[];
  readonly var: readonly string[];
  readonly promptTokens?: string;
  readonly completionTokens?: string;
  readonly reasoningTokens?: string;
  readonly cachedPromptRate?: string;
  readonly cacheHitRate?: string;
  readonly attemptsPerCall?: string;
  readonly feature?: string;
  readonly days?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** A running server, as this command needs it. */
export interface EstimateClient {
  estimateCost(input: EstimateInit): Promise<CostEstimate>;
}

/**
 * `sluice estimate`: what calls would cost, as a table, as CSV or as JSON.
 * @throws UserError for an option that is no number, or that needs a prompt where none is named.
 */
export async function estimate(
  client: EstimateClient,
  prompt: string | undefined,
  options: EstimateOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.json && options.csv) throw new UserError("--csv: cannot be used together with --json");
  const input = await inputOf(prompt, options, terminal);
  try {
    terminal.stdout.write(textOf(await client.estimateCost(input), options));
    return exitCode.ok;
  } catch (error) {
    if (!options.json || !(error instanceof RemoteError)) throw error;
    const { text, exit } = failureJson(error);
    terminal.stderr.write(`${text}\n`);
    return exit;
  }
}

function textOf(estimated: CostEstimate, { json, csv }: EstimateOptions): string {
  if (json) return `${toJsonString(CostEstimateSchema, estimated, { prettySpaces: 2, alwaysEmitImplicit: true })}\n`;
  return csv ? estimateCsv(estimated) : estimateTable(estimated);
}

async function inputOf(
  prompt: string | undefined,
  options: EstimateOptions,
  terminal: Terminal,
): Promise<EstimateInit> {
  const { promptTokens, completionTokens, reasoningTokens, cachedPromptRate, cacheHitRate, attemptsPerCall } = options;
  return {
    models: [...options.model],
    requestsPerDay: wholeNumber("--requests-per-day", options.requestsPerDay, 1n),
    ...(promptTokens !== undefined && { promptTokens: wholeNumber("--prompt-tokens", promptTokens, 1n) }),
    ...(completionTokens !== undefined && { completionTokens: wholeNumber("--completion-tokens", completionTokens) }),
    ...(reasoningTokens !== undefined && { reasoningTokens: wholeNumber("--reasoning-tokens", reasoningTokens) }),
    ...(cachedPromptRate !== undefined && { cachedPromptRate: decimal("--cached-prompt-rate", cachedPromptRate) }),
    ...(cacheHitRate !== undefined && { cacheHitRate: decimal("--cache-hit-rate", cacheHitRate) }),
    ...(attemptsPerCall !== undefined && { attemptsPerCall: decimal("--attempts-per-call", attemptsPerCall) }),
    feature: options.feature ?? "",
    ...(options.days !== undefined && { historyDays: days(options.days) }),
    ...(await promptOf(prompt, options, terminal)),
  };
}

async function promptOf(
  name: string | undefined,
  { version = "", sample, var: variables }: EstimateOptions,
  terminal: Terminal,
): Promise<Pick<EstimateInit, "prompt">> {
  if (name === undefined) {
    const [option] = [
      ...(sample.length > 0 ? ["--sample"] : []),
      ...(variables.length > 0 ? ["--var"] : []),
      ...(version === "" ? [] : ["--version"]),
    ];
    if (option !== undefined) throw new UserError(`${option}: needs the name of a prompt`);
    return {};
  }
  // Where no sample differs from what all have, that is the one sample.
  const texts = sample.length > 0 ? sample : [""];
  const samples: { variablesJson: string }[] = [];
  for (const text of texts) samples.push({ variablesJson: await sampleText(text, variables, terminal) });
  return { prompt: { name, version, samples } };
}

/** The variables of one sample, as JSON. */
async function sampleText(sample: string, common: readonly string[], terminal: Terminal): Promise<string> {
  if (/^\s*[{@]/.test(sample)) return variablesText({ var: common, varsJson: sample }, terminal);
  if (sample !== "" && sample.indexOf("=") < 1) {
    throw new UserError("--sample: must be name=value, name=@file, name=@- or a JSON object");
  }
  return variablesText({ var: sample === "" ? common : [...common, sample] }, terminal);
}

function wholeNumber(option: string, text: string, least = 0n): bigint {
  const number = /^\d{1,18}$/.test(text) ? BigInt(text) : -1n;
  if (number < least) throw new UserError(`${option}: must be a whole number, ${least} or more, such as 10000`);
  return number;
}

function days(text: string): number {
  const value = wholeNumber("--days", text);
  if (value < 1n || value > 366n) throw new UserError("--days: must be 1 to 366");
  return Number(value);
}

function decimal(option: string, text: string): number {
  if (!/^\d{1,9}(?:\.\d{1,18})?$/.test(text)) throw new UserError(`${option}: must be a decimal number, such as 0.35`);
  return Number(text);
}
