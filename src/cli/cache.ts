import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type CacheLayerFigures,
  type GetStatusResponse,
  GetStatusResponseSchema,
  type PurgeCacheRequestSchema,
  type PurgeCacheResponse,
  PurgeCacheResponseSchema,
} from "../../gen/sluice/v1/admin_service_pb.ts";
import { connect, type ServerOptions } from "./server-options.ts";
import { showAnswer } from "./show-answer.ts";
import { tableText } from "./table.ts";
import { printable, type Terminal, UserError } from "./terminal.ts";
import { timeText } from "./time-text.ts";
import { grouped, moneyText } from "./usage-money.ts";

export interface StatsOptions extends ServerOptions {
  readonly json?: boolean;
}

export interface PurgeOptions extends ServerOptions {
  readonly tenant?: string;
  readonly allTenants?: boolean;
  readonly prompt?: string;
  readonly version?: string;
  readonly model?: string;
  readonly everything?: boolean;
  readonly json?: boolean;
}

const MEBIBYTE = 1024 * 1024;

/** `sluice cache stats`: what the cache of a running server did since its start. */
export async function showCacheStats(options: StatsOptions, terminal: Terminal): Promise<number> {
  const client = connect(options, terminal);
  return await showAnswer(GetStatusResponseSchema, () => client.getStatus(), statusText, options, terminal);
}

/**
 * `sluice cache purge`: removes stored answers of a running server.
 * @throws UserError where the options do not say what to purge, or contradict each other.
 */
export async function purgeCache(options: PurgeOptions, terminal: Terminal): Promise<number> {
  const request = purgeRequest(options);
  const client = connect(options, terminal);
  return await showAnswer(PurgeCacheResponseSchema, () => client.purgeCache(request), purgedText, options, terminal);
}

/** What the server would refuse, in the words of the command line; names are the server's to judge. */
function purgeRequest(options: PurgeOptions): MessageInitShape<typeof PurgeCacheRequestSchema> {
  const { tenant, allTenants = false, prompt, version, model, everything = false } = options;
  // A script whose variable is not set would purge more than it means to.
  for (const [name, value] of Object.entries({ tenant, prompt, version, model })) {
    if (value === "") throw new UserError(`--${name}: must not be empty`);
  }
  if (tenant !== undefined && allTenants) throw new UserError("--tenant and --all-tenants exclude each other");
  if (version !== undefined && prompt === undefined) throw new UserError("--version: needs --prompt");
  const hasFilter = prompt !== undefined || model !== undefined;
  if (everything && hasFilter) throw new UserError("--everything: leave it out to purge by --prompt or --model");
  if (!everything && !hasFilter) throw new UserError("say what to purge: --prompt, --model, or --everything");
  return {
    tenant: tenant ?? "",
    allTenants,
    promptName: prompt ?? "",
    promptVersion: version ?? "",
    model: model ?? "",
    everything,
  };
}

function purgedText({ purgedFromMemory, purgedFromShared }: PurgeCacheResponse): string {
  const shared =
    purgedFromShared === undefined
      ? "there is no shared layer"
      : `${answers(purgedFromShared)} from the shared layer, and other processes forget them too`;
  return `purged ${answers(purgedFromMemory)} from memory; ${shared}\n`;
}

function answers(count: bigint): string {
  return `${grouped(count)} answer${count === 1n ? "" : "s"}`;
}

function statusText({ version, startTime, cache }: GetStatusResponse): string {
  const since = startTime === undefined ? "" : `, counted since ${timeText(timestampDate(startTime), "second")} UTC`;
  const { memory, shared, flights, savedNanoUsd = 0n } = cache ?? {};
  const layers = [...(memory ? [rowOf("memory", memory)] : []), ...(shared ? [rowOf("shared", shared)] : [])];
  const lines = [
    `joined ${grouped(flights?.joined ?? 0n)} calls of this process and ${grouped(flights?.taken ?? 0n)} of others; took over ${grouped(flights?.takenOver ?? 0n)}`,
    `saved ${moneyText(savedNanoUsd)}`,
    ...(shared ? [] : ["there is no shared layer"]),
  ];
  return `${printable(`sluice ${version}${since}`)}\n${tableText([["layer", ...FIGURES, "state"], ...layers], FIGURES)}${lines.join("\n")}\n`;
}

const FIGURES = [
  ...["hits", "misses", "unknown", "hit rate", "stored", "not stored"],
  ...["evicted", "entries", "MiB", "p50 ms", "p99 ms"],
];

function rowOf(name: string, figures: CacheLayerFigures): string[] {
  const { hits, misses, unknown, stores, unstored, evictions, entries, bytes, isAway } = figures;
  const lookUps = hits + misses + unknown;
  return [
    name,
    ...[hits, misses, unknown].map(grouped),
    lookUps === 0n ? "-" : `${((100 * Number(hits)) / Number(lookUps)).toFixed(1)} %`,
    ...[stores, unstored, evictions, entries].map((count) => (count === undefined ? "-" : grouped(count))),
    bytes === undefined ? "-" : (Number(bytes) / MEBIBYTE).toFixed(1),
    figures.lookUpP50Ms.toFixed(3),
    figures.lookUpP99Ms.toFixed(3),
    isAway ? "away" : "ok",
  ];
}
