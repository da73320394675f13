#!/usr/bin/env node
// Starts Sluice under Node.js 24: this one, or else the one that the package brings. Plain JavaScript, so that any
// Node.js can read it and say what is missing.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const ownNode = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import("../src/main.ts");
} else if (existsSync(ownNode)) {
  const child = spawn(ownNode, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends SIGINT to the child too; SIGTERM comes to us alone.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
} else {
  console.error(`sluice needs Node.js 24 or newer; this is ${process.versions.node}`);
  process.exitCode = 2;
}
