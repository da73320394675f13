import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { errorCode } from "../core/error-code.ts";
import { type Problem, problem } from "./problem.ts";
import type { ParsedConfig } from "./schema.ts";

/** The folders and files that the configuration names, as they are on this machine. Paths are absolute. */
export function checkFiles(config: ParsedConfig & { prompts_dir: string }): Problem[] {
  return [...checkFolders(config), ...checkTls(config.tls)];
}

function checkFolders({ data_dir, prompts_dir }: { data_dir: string; prompts_dir: string }): Problem[] {
  const found: Problem[] = [];
  const data = statSync(data_dir, { throwIfNoEntry: false });
  if (data !== undefined && !data.isDirectory()) found.push(problem(["data_dir"], "file", "is not a folder"));
  const prompts = statSync(prompts_dir, { throwIfNoEntry: false });
  if (prompts === undefined) found.push(problem(["prompts_dir"], "file", "there is no such folder"));
  else if (!prompts.isDirectory()) found.push(problem(["prompts_dir"], "file", "is not a folder"));
  return found;
}

function checkTls(tls: ParsedConfig["tls"]): Problem[] {
  if (tls === undefined) return [];
  const found: Problem[] = [];
  const read = (name: "cert" | "key" | "client_ca", path: string) => {
    try {
      return readFileSync(path);
    } catch (error) {
      found.push(problem(["tls", name], "file", unreadable(error)));
      return undefined;
    }
  };
  const cert = read("cert", tls.cert);
  const key = read("key", tls.key);
  const ca = tls.client_ca === undefined ? undefined : read("client_ca", tls.client_ca);
  if (found.length > 0) return found;
  if (!usable({ cert })) found.push(problem(["tls", "cert"], "format", "is not a PEM certificate"));
  if (!usable({ key })) found.push(problem(["tls", "key"], "format", "is not a PEM private key without a passphrase"));
  if (!usable({ ca })) found.push(problem(["tls", "client_ca"], "format", "is not a PEM certificate"));
  if (found.length === 0 && !usable({ cert, key })) {
    found.push(problem(["tls", "key"], "conflict", "is not the key of tls.cert"));
  }
  return found;
}

function usable(options: Parameters<typeof createSecureContext>[0]): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with a file that could not be opened or read; the message of the error would repeat the path. */
export function unreadable(error: unknown): string {
  const code = errorCode(error) ?? "unknown error";
  if (code === "ENOENT") return "there is no such file";
  return code === "EISDIR" ? "is a folder" : `cannot be read: ${code}`;
}
