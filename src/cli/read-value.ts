import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { errorCode } from "../core/error-code.ts";
import { type Terminal, UserError } from "./terminal.ts";

/** The contract's limit of all variables of a call. */
export const MAX_VALUE_BYTES = 1_048_576;

/**
 * The value that an option means: `@file` is the file's text, `@-` what standard input holds, `@@…` text that begins
 * with @, anything else itself. Files are UTF-8 of at most 1,048,576 bytes.
 * @throws UserError naming `option`.
 */
export async function readValue(option: string, value: string, { stdin }: Pick<Terminal, "stdin">): Promise<string> {
  if (!value.startsWith("@")) return value;
  if (value.startsWith("@@")) return value.slice(1);
  const path = value.slice(1);
  if (path === "") throw new UserError(`${option}: a file name must follow @`);
  const bytes = await collect(option, path === "-" ? stdin : createReadStream(path), path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${option}: ${path} is not UTF-8 text`);
  }
}

async function collect(option: string, source: Readable, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > MAX_VALUE_BYTES) break;
      chunks.push(bytes);
    }
  } catch (error) {
    const code = errorCode(error);
    const why =
      code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "is a folder" : `cannot be read (${code})`;
    throw new UserError(`${option}: ${path}: ${why}`, undefined, { cause: error });
  }
  if (length > MAX_VALUE_BYTES) throw new UserError(`${option}: ${path} is larger than ${MAX_VALUE_BYTES} bytes`);
  return Buffer.concat(chunks);
}
