import { toJsonString } from "@bufbuild/protobuf";
import {
  type ReembedCollectionResponse,
  ReembedCollectionResponseSchema,
} from "../../gen/sluice/v1/corpus_service_pb.ts";
import { type CorpusClient, RemoteError } from "../rpc/client.ts";
import type { ServerOptions } from "./server-options.ts";
import { exitCode, printable, type Terminal, UserError } from "./terminal.ts";
import { grouped, moneyText } from "./usage-money.ts";

export interface ReembedOptions extends ServerOptions {
  readonly model: string;
  readonly json?: boolean;
}

/**
 * `sluice collections reembed`: follows it to its end. A collection that takes longer than the server lets a call is gone
 * on with by another call, as long as each comes further.
 */
export async function reembedCollection(
  name: string,
  options: ReembedOptions,
  client: Pick<CorpusClient, "reembedCollection">,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<number> {
  const { stdout } = terminal;
  let before = -1n;
  for (;;) {
    const { last, error } = await follow(name, options, client, terminal, stop);
    if (stop.aborted) throw new UserError("stopped; the same command goes on from here", exitCode.retryLater);
    if (last?.done) {
      const json = toJsonString(ReembedCollectionResponseSchema, last, { prettySpaces: 2, alwaysEmitImplicit: true });
      stdout.write(
        options.json
          ? `${json}\n`
          : `${printable(name)} answers by ${printable(options.model)} now: ${progressText(last)}\n`,
      );
      return exitCode.ok;
    }
    const isLate = error instanceof RemoteError && error.failure.reason === "DEADLINE_EXCEEDED";
    const reached = last?.embeddedChunks ?? -1n;
    if (!isLate || reached <= before) throw error ?? new Error("the stream ended without its last event");
    before = reached;
  }
}

async function follow(
  collection: string,
  { model: embeddingModel }: ReembedOptions,
  client: Pick<CorpusClient, "reembedCollection">,
  { stderr }: Terminal,
  stop: AbortSignal,
): Promise<{ readonly last?: ReembedCollectionResponse; readonly error?: unknown }> {
  const isTerminal = stderr.isTTY === true;
  let last: ReembedCollectionResponse | undefined;
  try {
    for await (const event of client.reembedCollection({ collection, embeddingModel }, stop)) {
      last = event;
      if (isTerminal) stderr.write(`\r${progressText(event)}\u001b[K`);
    }
    return { ...(last && { last }) };
  } catch (error) {
    return { ...(last && { last }), error };
  } finally {
    if (isTerminal) stderr.write("\r\u001b[K");
  }
}

function progressText({ embeddedChunks, totalChunks, usage, costNanoUsd }: ReembedCollectionResponse): string {
  const share = `${grouped(embeddedChunks)} of ${grouped(totalChunks)} chunks`;
  const cost = costNanoUsd === undefined ? "cost unknown" : moneyText(costNanoUsd);
  return `${share} · ${grouped(usage?.promptTokens ?? 0n)} tokens · ${cost}`;
}
