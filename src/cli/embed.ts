import { type EmbedResponse, EmbedResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { CorpusClient } from "../rpc/client.ts";
import { readValue } from "./read-value.ts";
import type { ServerOptions } from "./server-options.ts";
import { showAnswer } from "./show-answer.ts";
import { type Terminal, UserError } from "./terminal.ts";

export interface EmbedOptions extends ServerOptions {
  readonly model?: string;
  readonly json?: boolean;
}

/** `sluice embed`: the vectors of texts, one a line as JSON. A text of - is read from standard input. */
export async function embed(
  texts: readonly string[],
  options: EmbedOptions,
  client: Pick<CorpusClient, "embed">,
  terminal: Terminal,
): Promise<number> {
  if (texts.filter((text) => text === "-").length > 1) throw new UserError("-: standard input can be read only once");
  const read = await Promise.all(texts.map((text) => (text === "-" ? readValue("-", "@-", terminal) : text)));
  const ask = () => client.embed({ texts: read, model: options.model ?? "" });
  return await showAnswer(EmbedResponseSchema, ask, vectorsText, options, terminal);
}

function vectorsText({ embeddings }: EmbedResponse): string {
  return embeddings.map(({ values }) => `${JSON.stringify([...values])}\n`).join("");
}
