import assert from "node:assert/strict";
import { type Config, ConfigError, loadConfig } from "../../src/config.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";

/** A folder of its own for each test, and configuration files in it. */
export function useConfigFile() {
  let folder: TemporaryFolder;

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  function load(yaml: string, env: Record<string, string> = {}, listen?: string): Config {
    const file = folder.write("sluice.yaml", yaml);
    return loadConfig({ file, env, workingDir: folder.path, ...(listen === undefined ? {} : { listen }) });
  }

  /** The lines of the ConfigError that an action must throw, the file's path as "file". */
  function problemLines(action: () => unknown): string[] {
    try {
      action();
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.message.replaceAll(`${folder.path}/sluice.yaml`, "file").split("\n");
    }
    assert.fail("there was no problem");
  }

  return {
    load,
    problemLines,
    problemsOf: (yaml: string, env: Record<string, string> = {}) => problemLines(() => load(yaml, env)),
    folder: () => folder,
  };
}
