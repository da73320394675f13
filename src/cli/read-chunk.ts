import { Option } from "commander";
import type { PromptChunk } from "../core/prompt.ts";
import { readValue } from "./read-value.ts";
import { type Terminal, UserError } from "./terminal.ts";

/**
 * A piece of context from `id=text`, `id=@file` or `id=@-`.
 * @throws UserError where there is no id, or the file cannot be read.
 */
export async function readChunk(option: string, terminal: Terminal): Promise<PromptChunk> {
  const equals = option.indexOf("=");
  if (equals < 1) throw new UserError("--chunk: must be id=text, id=@file or id=@-");
  const id = option.slice(0, equals);
  return { id, text: await readValue(`--chunk ${id}`, option.slice(equals + 1), terminal) };
}

/** The option that gives one piece of context. */
export function chunksOption(): Option {
  return new Option("--chunk <id=text>", "a piece of context; may be repeated")
    .default([], "none")
    .argParser((value: string, before: readonly string[]) => [...before, value]);
}
