import { connect, type ServerOptions } from "./server-options.ts";
import { tableText } from "./table.ts";
import { exitCode, type Terminal } from "./terminal.ts";

/** `sluice prompts list`: the prompts that a running server has loaded. */
export async function listPrompts(options: ServerOptions, terminal: Terminal): Promise<number> {
  const rows = [["prompt", "versions", "description"]];
  for await (const { latest, versions, description } of connect(options, terminal).listPrompts()) {
    rows.push([latest?.name ?? "", versions.join(", "), description]);
  }
  terminal.stdout.write(tableText(rows));
  return exitCode.ok;
}
