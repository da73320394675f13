import { toYaml } from "../adapters/strict-yaml.ts";
import { loadConfig, shownConfig } from "../config.ts";
import { exitCode, type Terminal } from "./terminal.ts";

/** `sluice config check`: the effective configuration, secrets as `***`. What is wrong comes out as a ConfigError. */
export function checkConfig(
  options: { readonly config?: string; readonly listen?: string },
  terminal: Terminal,
): number {
  const config = loadConfig({
    ...(options.config === undefined ? {} : { file: options.config }),
    ...(options.listen === undefined ? {} : { listen: options.listen }),
    env: terminal.env,
  });
  terminal.stdout.write(toYaml(shownConfig(config)));
  terminal.stderr.write("The configuration is valid.\n");
  return exitCode.ok;
}
