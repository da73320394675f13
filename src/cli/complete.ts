import { toJsonString } from "@bufbuild/protobuf";
import { type Completion, CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import type { StreamCompleteResponse } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { RemoteError } from "../rpc/client.ts";
import { settingsOf, timeoutMsOf } from "./complete-settings.ts";
import { restartText, summaryText } from "./completion-text.ts";
import { failureJson } from "./failure-text.ts";
import { readChunk } from "./read-chunk.ts";
import { hasRetrievalOptions, type RetrievalOptions, retrievalOf } from "./retrieval-options.ts";
import { connect, type ServerOptions } from "./server-options.ts";
import { exitCode, printable, printableProse, type Terminal, UserError } from "./terminal.ts";
import { variablesText } from "./variables.ts";

export interface CompleteOptions extends ServerOptions, RetrievalOptions {
  readonly version?: string;
  readonly var: readonly string[];
  readonly varsJson?: string;
  readonly chunk: readonly string[];
  /** Name of a collection. */
  readonly retrieve?: string;
  readonly query?: string;
  readonly model?: string;
  readonly feature?: string;
  readonly user?: string;
  readonly idempotencyKey?: string;
  /** False for `--no-cache`. */
  readonly cache: boolean;
  readonly refresh?: boolean;
  readonly onlyIfCached?: boolean;
  readonly ttl?: string;
  readonly maxOutputTokens?: string;
  readonly timeout?: string;
  readonly json?: boolean;
}

/**
 * `sluice complete`: calls a prompt of a running server. On a terminal the answer appears as it is written; a pipe or a
 * file gets it whole, since what was written cannot be taken back when the answer is made anew.
 */
export async function complete(prompt: string, options: CompleteOptions, terminal: Terminal): Promise<number> {
  // A script whose variable is not set would pay for every repetition without knowing it.
  if (options.idempotencyKey === "") throw new UserError("--idempotency-key: must not be empty");
  const settings = settingsOf(options);
  const call = options.timeout === undefined ? {} : { timeoutMs: timeoutMsOf(options.timeout) };
  const retrieval = retrievalAsked(options);
  const client = connect(options, terminal);
  const chunks = await Promise.all(options.chunk.map((chunk) => readChunk(chunk, terminal)));
  const variablesJson = await variablesText(options, terminal);
  const input = {
    prompt: { name: prompt, version: options.version ?? "", variablesJson },
    model: options.model ?? "",
    attribution: { feature: options.feature ?? "", user: options.user ?? "" },
    idempotencyKey: options.idempotencyKey ?? "",
    ...(chunks.length === 0 ? {} : { context: { chunks } }),
    ...(retrieval && { retrieval }),
    ...settings,
  };
  const events = client.streamComplete(input, call);
  if (options.json === true) return await printJson(events, terminal);
  const live = terminal.stdout.isTTY === true;
  const completion = await follow(events, live, terminal);
  // A line break ends the answer where it has none, as it ends every text file.
  terminal.stdout.write(live ? lineEnd(completion.text) : completion.text + lineEnd(completion.text));
  terminal.stderr.write(`${printable(summaryText(completion))}\n`);
  return exitCode.ok;
}

/**
 * What to look for; undefined where nothing is asked for. A prompt that names a collection takes the other options too.
 * @throws UserError for a collection without a name, as where a script's variable is not set.
 */
function retrievalAsked(options: CompleteOptions) {
  const { retrieve: collection, query } = options;
  if (collection === "") throw new UserError("--retrieve: must not be empty");
  if (query === "") throw new UserError("--query: must not be empty");
  if (collection === undefined && query === undefined && !hasRetrievalOptions(options)) return undefined;
  return retrievalOf(collection ?? "", query ?? "", options);
}

/** The completion on standard output, or else the server's status on standard error: either is one JSON document. */
async function printJson(events: AsyncIterable<StreamCompleteResponse>, terminal: Terminal): Promise<number> {
  try {
    const completion = await follow(events, false, terminal);
    terminal.stdout.write(`${toJsonString(CompletionSchema, completion, { prettySpaces: 2 })}\n`);
    return exitCode.ok;
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const { text, exit } = failureJson(error);
    terminal.stderr.write(`${text}\n`);
    return exit;
  }
}

/** Reads the stream to its end, shows it where somebody is watching, and returns what its last event holds. */
async function follow(
  events: AsyncIterable<StreamCompleteResponse>,
  live: boolean,
  { stdout, stderr }: Terminal,
): Promise<Completion> {
  let openLine = false;
  let completion: Completion | undefined;
  const closeLine = () => {
    if (openLine) stdout.write("\n");
    openLine = false;
  };
  try {
    for await (const { event } of events) {
      if (event.case === "textDelta" && live) {
        const text = printableProse(event.value.text);
        stdout.write(text);
        openLine = !text.endsWith("\n");
      }
      if (event.case === "restarted" && live) {
        closeLine();
        stderr.write(`${printable(restartText(event.value))}\n`);
      }
      if (event.case === "finished") completion = event.value.completion;
    }
  } catch (error) {
    closeLine();
    throw error;
  }
  // The contract: a stream ends in Finished or in an error status.
  if (completion === undefined) throw new Error("the stream ended without its last event");
  return completion;
}

function lineEnd(text: string): string {
  return text.endsWith("\n") ? "" : "\n";
}
