import { Option } from "commander";
import { createClient, type SluiceClient } from "../rpc/client.ts";
import { type Terminal, UserError } from "./terminal.ts";

export interface ServerOptions {
  /** Address with http or https. */
  readonly server: string;
  /** Name of the environment variable that holds the API key. */
  readonly apiKeyEnv?: string;
}

const DEFAULT_SERVER = "http://127.0.0.1:8080";

export function serverOption(): Option {
  return new Option("--server <url>", "the running server").default(DEFAULT_SERVER).env("SLUICE_SERVER");
}

export function apiKeyOption(): Option {
  return new Option("--api-key-env <name>", "environment variable that holds the API key");
}

/** @throws UserError for an address that is no URL, and for a key variable that is not set. */
export function connect({ server, apiKeyEnv }: ServerOptions, { env }: Pick<Terminal, "env">): SluiceClient {
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new UserError(`--server: must be an address such as ${DEFAULT_SERVER}`);
  }
  const apiKey = apiKeyEnv === undefined ? undefined : env[apiKeyEnv];
  if (apiKeyEnv !== undefined && !apiKey) {
    throw new UserError(`--api-key-env: the environment variable ${apiKeyEnv} is not set`);
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(apiKey)) {
    throw new UserError(
      `--api-key-env: the value of ${apiKeyEnv} is no API key: it has spaces or other odd characters`,
    );
  }
  return createClient({ url: server, ...(apiKey === undefined ? {} : { apiKey }) });
}
