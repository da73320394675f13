import { hash, randomBytes } from "node:crypto";
import { toYaml } from "../adapters/strict-yaml.ts";
import { exitCode, type Terminal, UserError } from "./terminal.ts";

/**
 * `sluice key create`: a new API key of 256 random bits on standard output, alone, so that it can be piped into a
 * secret store; the entry for the configuration, which holds its hash only, on standard error.
 */
export function createKey(
  { id, tenant, admin = false }: { readonly id: string; readonly tenant: string; readonly admin?: boolean },
  terminal: Terminal,
): number {
  if (/\p{Cc}/u.test(id)) throw new UserError("--id: must not hold control characters");
  if (!/^[\s\S]{1,64}$/u.test(id)) throw new UserError("--id: must be 1 to 64 characters");
  if (!/^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/.test(tenant)) {
    throw new UserError("--tenant: must be 1 to 64 lower-case letters, digits, hyphens or underscores");
  }
  const key = `sluice_${randomBytes(32).toString("base64url")}`;
  const entry = toYaml([{ id, tenant, sha256: hash("sha256", key), ...(admin && { admin }) }]);
  terminal.stderr.write("The key, which is shown this once:\n\n");
  terminal.stdout.write(`${key}\n`);
  terminal.stderr.write(`\nIts entry for auth.api_keys of the configuration:\n\n${indented(entry)}`);
  return exitCode.ok;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}
