import type { JsonObject } from "@bufbuild/protobuf";
import type { Clock } from "../core/clock.ts";
import type { CorpusClient } from "../rpc/client.ts";
import { readBatches } from "./ingest/batches.ts";
import { Progress } from "./ingest/progress.ts";
import { findVanished, nothingToRemove, type Removal, removeDocuments } from "./ingest/removal.ts";
import { type PutSettings, type SendOutcome, sendBatch } from "./ingest/send.ts";
import { type Ending, summaryJson, summaryText } from "./ingest/summary.ts";
import { Tally } from "./ingest/tally.ts";
import { type Walked, walkFolder } from "./ingest/walk.ts";
import { scalarOf } from "./scalar.ts";
import type { ServerOptions } from "./server-options.ts";
import { exitCode, printable, type Terminal, UserError } from "./terminal.ts";

export interface IngestOptions extends ServerOptions {
  readonly collection: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly embeddingModel?: string;
  readonly language?: string;
  readonly metadata: readonly string[];
  readonly dryRun?: boolean;
  readonly keepRemoved?: boolean;
  readonly allowMassRemoval?: boolean;
  readonly allowEmpty?: boolean;
  readonly concurrency: string;
  readonly json?: boolean;
}

export interface IngestPorts {
  readonly client: Pick<CorpusClient, "putDocuments" | "listDocuments" | "deleteDocuments">;
  readonly clock: Clock;
  /** Aborted when the person at the terminal wants it to stop. */
  readonly stop: AbortSignal;
}

const MAX_CONCURRENCY = 16;

/**
 * `sluice ingest`: puts the files of a folder into a collection, and removes documents whose files are gone. Stopped at
 * any time, it goes on where it was when it is run again, since unchanged documents cost nothing.
 */
export async function ingest(
  folder: string,
  options: IngestOptions,
  ports: IngestPorts,
  terminal: Terminal,
): Promise<number> {
  const settings = settingsOf(options);
  const concurrency = concurrencyOf(options.concurrency);
  const walked = await walkFolder(folder, options);
  if (walked.files.length === 0 && !options.allowEmpty) {
    throw new UserError(`${printable(folder)}: holds no document to ingest; --allow-empty takes that for success`);
  }
  const bytes = walked.files.reduce((sum, file) => sum + file.bytes, 0);
  const tally = new Tally(walked.skipped);
  tally.failed.push(...walked.failed);
  const progress = new Progress(terminal.stderr, ports.clock, { files: walked.files.length, bytes });
  try {
    await sendAll(ports, { walked, settings, concurrency, tally, progress });
  } finally {
    progress.end();
  }
  const isStopped = ports.stop.aborted;
  const removal = isStopped || options.keepRemoved ? nothingToRemove : await vanished(ports, options, walked);
  const mayRemove = !options.dryRun && (!removal.isMassive || options.allowMassRemoval === true);
  const removed = mayRemove ? await removeDocuments(ports.client, options.collection, removal.ids) : 0;
  const elapsedMs = progress.elapsedMs;
  const ending: Ending = {
    ...{ folder, collection: options.collection, dryRun: options.dryRun === true },
    ...{ isStopped, removal, removed, mayRemove, elapsedMs },
  };
  terminal.stdout.write(options.json ? summaryJson(tally, ending) : summaryText(tally, ending));
  for (const { path, why } of options.json ? [] : tally.failed) {
    terminal.stderr.write(`${printable(`${path}: ${why}`)}\n`);
  }
  if (isStopped) return exitCode.retryLater;
  const isRefused = removal.isMassive && !mayRemove && !options.dryRun;
  return tally.failed.length > 0 || isRefused ? exitCode.failure : exitCode.ok;
}

interface Sending {
  readonly walked: Walked;
  readonly settings: PutSettings;
  readonly concurrency: number;
  readonly tally: Tally;
  readonly progress: Progress;
}

/** Sends batch after batch, a few in flight. The first failure that is about no document ends the others too. */
async function sendAll(ports: IngestPorts, { walked, settings, concurrency, tally, progress }: Sending): Promise<void> {
  const failing = new AbortController();
  const signal = AbortSignal.any([ports.stop, failing.signal]);
  const batches = readBatches(walked, {
    failed: (file, why) => tally.fail(file, why),
    binary: (file) => tally.binary(file),
  });
  const work = async () => {
    // Several take from one source: what is asked of it meanwhile waits its turn.
    for (let next = await batches.next(); !next.done && !signal.aborted; next = await batches.next()) {
      const batch = next.value;
      const outcome: SendOutcome = {
        put: (response) => tally.put(response, batch),
        failed: (file, why) => tally.fail(file, why),
      };
      await sendBatch(ports, settings, batch, outcome, signal);
      progress.update(tally);
    }
  };
  const workers = Array.from({ length: concurrency }, () =>
    work().catch((error: unknown) => {
      failing.abort(error);
      throw error;
    }),
  );
  const ended = await Promise.allSettled(workers);
  await batches.return(undefined);
  if (ports.stop.aborted) return;
  if (failing.signal.aborted) throw failing.signal.reason;
  const lost = ended.find((end) => end.status === "rejected");
  if (lost) throw lost.reason;
}

async function vanished({ client }: IngestPorts, { collection }: IngestOptions, walked: Walked): Promise<Removal> {
  return await findVanished(client, collection, walked);
}

function settingsOf({ collection, embeddingModel, language, dryRun, metadata }: IngestOptions): PutSettings {
  return {
    ...{ collection, dryRun: dryRun === true, metadata: metadataOf(metadata) },
    ...{ embeddingModel: embeddingModel ?? "", language: language ?? "" },
  };
}

/** @throws UserError for what is no `key=value`, and for a key that is given twice. */
function metadataOf(options: readonly string[]): JsonObject {
  const entries = options.map((option) => {
    const equals = option.indexOf("=");
    if (equals < 1) throw new UserError("--metadata: must be key=value");
    return [option.slice(0, equals), scalarOf(option.slice(equals + 1))] as const;
  });
  const keys = entries.map(([key]) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new UserError(`--metadata ${printable(twice)}: is given twice`);
  return Object.fromEntries(entries);
}

function concurrencyOf(text: string): number {
  const number = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MAX_CONCURRENCY) return number;
  throw new UserError(`--concurrency: must be a whole number from 1 to ${MAX_CONCURRENCY}`);
}
