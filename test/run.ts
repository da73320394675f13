// Runs the tests: `npm test`, or `npm test -- test/rpc --grep reflection` for some of them.
import { parseArgs } from "node:util";
import Mocha from "mocha";
import { testFiles } from "./support/test-files.ts";
import { missingTiers } from "./support/tiers.ts";

const inCi = process.env.CI === "true";
const testTimeoutMs = 20_000;
const exitPatienceMs = 10_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    grep: { type: "string", short: "g" },
    invert: { type: "boolean", short: "i", default: false },
    bail: { type: "boolean", short: "b", default: false },
    reporter: { type: "string", short: "R", default: "spec" },
  },
});

const mocha = new Mocha({
  reporter: values.reporter,
  bail: values.bail,
  timeout: testTimeoutMs,
  forbidOnly: inCi,
  // What a machine lacks is told by its tier. Nothing else may go untested.
  forbidPending: true,
});
if (values.grep !== undefined) mocha.grep(new RegExp(values.grep));
if (values.invert) mocha.invert();

const passedAndFailed = await runAll();
for (const { tier, reason, remedy } of missingTiers()) console.log(`not run: ${tier}: ${reason}; ${remedy}`);
console.log(`${passedAndFailed.passed} passed, ${passedAndFailed.failed} failed`);
process.exitCode = passedAndFailed.failed === 0 ? 0 : 1;
reportWhatKeepsTheProcessAlive();

async function runAll(): Promise<{ passed: number; failed: number }> {
  try {
    for (const file of testFiles(positionals.length > 0 ? positionals : ["test"])) mocha.addFile(file);
    await mocha.loadFilesAsync();
  } catch (error) {
    console.error(error);
    return { passed: 0, failed: 1 };
  }
  const { promise, resolve } = Promise.withResolvers<{ passed: number; failed: number }>();
  const runner = mocha.run((failed) => resolve({ passed: runner.stats?.passes ?? 0, failed }));
  const result = await promise;
  if (result.passed === 0 && result.failed === 0 && missingTiers().length === 0) {
    console.error("no test was run");
    return { passed: 0, failed: 1 };
  }
  return result;
}

/** A timer or socket that a test left behind would keep the process alive: it is named, and the run fails. */
function reportWhatKeepsTheProcessAlive(): void {
  setTimeout(() => {
    console.error(`a test left something open: ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit(1);
  }, exitPatienceMs).unref();
}
