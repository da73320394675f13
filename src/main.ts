#!/usr/bin/env node
const [major] = process.versions.node.split(".");
if (Number(major) < 24) {
  console.error(`sluice needs Node.js 24 or newer; this is ${process.versions.node}`);
  process.exit(2);
}
// There is nothing to drain while the program loads, and as the first process of a container it would not get the
// default: a signal that nobody listens to is lost there.
if (process.argv[2] === "serve") process.once("SIGTERM", () => process.exit(0));
// Loaded after the check: an older Node.js could not even read the rest.
const { runInProcess } = await import("./cli/process.ts");
await runInProcess();

export {};
