import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../support/child.ts";

const runner = resolve("test/run.ts");
const tiers = resolve("test/support/tiers.ts");

describe("the test runner", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-runner-"));
    await mkdir(join(folder, "test"));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Runs `source` as the only test file, on a machine without any program, and gives the exit code and the lines. */
  async function runFile(source: string, environment: NodeJS.ProcessEnv, ...args: string[]) {
    await writeFile(join(folder, "package.json"), '{"type": "module"}');
    await writeFile(join(folder, "test/one.test.ts"), source);
    const env = { ...process.env, CI: "", PATH: folder, NODE_V8_COVERAGE: "", ...environment };
    const { code, stdout, stderr } = await run(process.execPath, [runner, ...args], { cwd: folder, env });
    return { code, lines: stdout.split("\n").filter((line) => line !== ""), stderr };
  }

  const needsRedis = `
    import { tier } from ${JSON.stringify(tiers)};
    it("passes", () => {});
    tier("redis", () => it("asks Redis", () => {}));`;

  it("ends with the counts alone on a line", async () => {
    const { code, lines } = await runFile('it("passes", () => {}); it("fails", () => { throw new Error("x"); });', {});
    assert.equal(lines.at(-1), "1 passed, 1 failed");
    assert.equal(code, 1);
  });

  it("passes and says what it did not run, why, and how to get it, where a program is missing", async () => {
    const { code, lines } = await runFile(needsRedis, {});
    assert.equal(lines.at(-2), "not run: redis: no redis-server on the PATH; apt-get install redis-server");
    assert.equal(lines.at(-1), "1 passed, 0 failed");
    assert.equal(code, 0);
  });

  it("fails with CI=true where a program is missing", async () => {
    const { code, lines } = await runFile(needsRedis, { CI: "true" });
    assert.equal(lines.at(-1), "1 passed, 1 failed");
    assert.equal(code, 1);
  });

  it("fails where a test is skipped", async () => {
    const { code, lines } = await runFile('it("passes", () => {}); it.skip("sleeps", () => {});', {});
    assert.equal(lines.at(-1), "1 passed, 1 failed");
    assert.equal(code, 1);
  });

  it("fails where nothing was run", async () => {
    const { code, lines } = await runFile('it("passes", () => {});', {}, "--grep", "no such test");
    assert.equal(lines.at(-1), "0 passed, 1 failed");
    assert.equal(code, 1);
  });

  it("fails where a test file cannot be loaded", async () => {
    const { code, lines, stderr } = await runFile('throw new Error("broken file");', {});
    assert.match(stderr, /broken file/);
    assert.equal(lines.at(-1), "0 passed, 1 failed");
    assert.equal(code, 1);
  });

  it("runs the files and folders that are named", async () => {
    await writeFile(join(folder, "test/other.test.ts"), 'it("is left out", () => { throw new Error("x"); });');
    const { lines } = await runFile('it("passes", () => {});', {}, "test/one.test.ts");
    assert.equal(lines.at(-1), "1 passed, 0 failed");
  });
});
