import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import {
  type DocumentedCommand,
  documentedCommands,
  printsAsDocumented,
} from "../../tools/markdown/documented-commands.ts";
import { run } from "../support/child.ts";
import { useServer } from "../support/running-server.ts";
import { isTierName, tier } from "../support/tiers.ts";

/** The address the documentation shows; the tests' server has another port. */
const documentedAddress = "127.0.0.1:8080";

/** The pages whose commands are run as they stand. */
const pages = [
  "README.md",
  "docs/streaming.md",
  "docs/caching.md",
  "docs/idempotency.md",
  "docs/usage.md",
  "docs/retrieval.md",
];

for (const page of pages) describe(page, () => describePage(page));

function describePage(page: string): void {
  const commands = existsSync(page) ? documentedCommands(readFileSync(page, "utf8")) : [];
  const server = useServer();

  it("has commands that can be run", () => {
    assert.notEqual(commands.length, 0);
  });

  for (const command of commands) needing(command.tiers, () => itRuns(command));

  function itRuns({ script, line, output }: DocumentedCommand) {
    it(`prints what line ${line} documents`, async () => {
      const env = {
        ...process.env,
        SLUICE_SERVER: server().url,
        PATH: [resolve("node_modules/.bin"), process.env.PATH].join(delimiter),
        // npm's own remarks, on its version or this machine's settings, are not what a command prints.
        npm_config_loglevel: "error",
        npm_config_update_notifier: "false",
      };
      const local = script.replaceAll(documentedAddress, server().address);
      // A reader sees both outputs in one terminal.
      const { code, stdout } = await run("sh", ["-eu"], { input: `exec 2>&1\n${local}`, env });
      assert.equal(code, 0, `${local}ended with ${code}:\n${stdout}`);
      const printed = stdout.replaceAll(server().address, documentedAddress).replaceAll(PROGRESS, "");
      if (output !== undefined && !printsAsDocumented(printed, output)) assert.equal(printed, output);
    }).timeout(60_000);
  }
}

/** How far an ingest is, told every few seconds: a terminal, which is what a reader has, shows it and clears it again. */
const PROGRESS = /^\d+ of \d+ documents · .*\n/gm;

/** Defines tests that need every one of the tiers. */
function needing([name, ...others]: string[], define: () => void): void {
  if (name === undefined) {
    define();
    return;
  }
  if (!isTierName(name)) throw new Error(`a page names an unknown tier "${name}"`);
  tier(name, () => needing(others, define));
}
