import assert from "node:assert/strict";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { createClient } from "../../src/rpc/client.ts";
import { type TemporaryFolder, temporaryFolder } from "../config/temporary-folder.ts";
import { type Child, startChild } from "../support/child.ts";
import { cleanEnvironment, runSluice, sluiceCommand } from "./run-sluice.ts";

describe("sluice serve", () => {
  let folder: TemporaryFolder;
  let children: Child[];
  beforeEach(() => {
    folder = temporaryFolder();
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => child.stop("SIGKILL")));
    folder.remove();
  });

  /** Starts a server in the folder and resolves when it says where it listens. */
  async function start(...args: readonly string[]): Promise<{ child: Child; first: Record<string, unknown> }> {
    const child = await startChild(...sluiceCommand("serve", "--listen", "127.0.0.1:0", ...args), {
      cwd: folder.path,
      env: cleanEnvironment(),
    });
    children.push(child);
    return { child, first: await child.line((line) => JSON.parse(line)) };
  }

  it("says in its first log line where it listens, and that it is open", async () => {
    const { child, first } = await start();
    assert.equal(first.event, "listening");
    assert.match(String(first.url), /^http:\/\/127\.0\.0\.1:\d+$/);
    const open = await child.line((line) => (line.includes("open_access") ? JSON.parse(line) : undefined));
    assert.equal(open.tenant, "local");
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`ends with 0 after ${signal}`, async () => {
      const { child } = await start();
      assert.equal(await child.stop(signal), 0, child.output());
      assert.match(child.output(), /"event":"stopping"/);
      assert.match(child.output(), /"event":"stopped"/);
    });
  }

  it("waits for a call in flight, and ends at once, with 1, at the second signal", async () => {
    const { child, first } = await start();
    const events = createClient({ url: String(first.url) }).streamComplete({
      messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "The answer is in this text." } }] }],
      model: "sandbox/stalls",
    });
    const call = events[Symbol.asyncIterator]();
    const started = await call.next();
    assert.ok(!started.done);
    child.process.kill("SIGTERM");
    await child.line((line) => (line.includes('"stopping"') ? line : undefined));
    assert.equal(await child.stop("SIGTERM"), 1);
    await assert.rejects(async () => {
      while (!(await call.next()).done);
    });
  });

  it("refuses an address that is in use, with 1 and without a stack", async () => {
    const { first } = await start();
    const address = new URL(String(first.url)).host;
    const file = folder.write("other.yaml", "data_dir: other-data\n");
    const { code, stderr } = await runSluice(["serve", "--config", file, "--listen", address], { cwd: folder.path });
    assert.equal(code, 1);
    assert.equal(stderr, `${address} is in use by another program; choose another address with --listen\n`);
  });

  it("refuses a data folder that another server works in", async () => {
    await start();
    const { code, stderr } = await runSluice(["serve", "--listen", "127.0.0.1:0"], { cwd: folder.path });
    assert.equal(code, 1);
    assert.match(stderr, /^the data folder .* is in use by the process \d+/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  it("opens nothing when the configuration is wrong", async () => {
    const file = folder.write("sluice.yaml", "cros: []\n");
    assert.deepEqual(await runSluice(["serve", "--config", file], { cwd: folder.path }), {
      code: 2,
      stdout: "",
      stderr: "cros: there is no such key; the nearest is cors\n",
    });
  });
});
