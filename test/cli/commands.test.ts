import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { parseStrictYaml } from "../../src/adapters/strict-yaml.ts";
import { type TemporaryFolder, temporaryFolder } from "../config/temporary-folder.ts";
import { run, startChild } from "../support/child.ts";
import { startFakeServer } from "./fake-server.ts";
import { cleanEnvironment, runSluice, sluiceCommand } from "./run-sluice.ts";

describe("sluice", () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  it("shows help for every command, with examples", async () => {
    const commands = [
      "",
      "serve",
      "complete",
      "cache stats",
      "cache purge",
      "key create",
      "prompts check",
      "prompts render",
    ];
    for (const command of commands) {
      const args = command.split(" ").filter(Boolean);
      const { code, stdout, stderr } = await runSluice([...args, "--help"]);
      assert.deepEqual([code, stderr], [0, ""], command);
      assert.match(stdout, /Examples?:\n {2}\$ sluice /);
    }
  });

  it("refuses unknown commands and options with 2 and a way out", async () => {
    const command = await runSluice(["complte"]);
    assert.equal(command.code, 2);
    assert.match(command.stderr, /Did you mean complete\?/);
    const option = await runSluice(["complete", "x", "--modle", "fast"]);
    assert.equal(option.code, 2);
    assert.match(option.stderr, /Did you mean --model\?/);
    assert.match(option.stderr, /sluice complete --help/);
  });

  it("says its version", async () => {
    assert.match((await runSluice(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it("ends quietly when nobody reads its output any more", async () => {
    const child = await startChild(...sluiceCommand("config", "check"), { cwd: folder.path, env: cleanEnvironment() });
    child.process.stdout?.destroy();
    assert.equal(await child.ended, 0);
    assert.doesNotMatch(child.output(), /EPIPE|Error/);
  });

  it("is started by its launcher too", async () => {
    const { code, stdout } = await run(process.execPath, [resolve("bin/sluice.mjs"), "--version"]);
    assert.equal(code, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  describe("config check", () => {
    it("shows the effective configuration without its secrets", async () => {
      const secrets = ["sk-very-secret", "hunter2", "f".repeat(64), "header-secret", "query-secret"];
      const file = folder.write(
        "sluice.yaml",
        [
          `database_url: postgres://me:${secrets[1]}@db/x`,
          `redis_url: redis://:${secrets[1]}@cache`,
          "providers:",
          `  main: {base_url: https://x.example/v1, api_key: ${secrets[0]}, headers: {x: ${secrets[3]}}, query: {k: ${secrets[4]}}}`,
          `auth: {api_keys: [{id: a, tenant: acme, sha256: ${secrets[2]}}]}`,
        ].join("\n"),
      );
      const { code, stdout, stderr } = await runSluice(["config", "check", "--config", file], { cwd: folder.path });
      assert.deepEqual([code, stderr], [0, "The configuration is valid.\n"]);
      for (const secret of secrets) assert.ok(!stdout.includes(secret), secret);
      assert.match(stdout, /^database_url: "\*\*\*"$/m);
      assert.match(stdout, /^ {4}base_url: https:\/\/x\.example\/v1$/m);
      assert.match(stdout, /^ {2}max_attempts: 4$/m);
    });

    it("prints every problem on a line of its own, and exits with 2", async () => {
      const file = folder.write("sluice.yaml", "cros: []\nlog: {level: loud}\n");
      assert.deepEqual(await runSluice(["config", "check", "--config", file], { cwd: folder.path }), {
        code: 2,
        stdout: "",
        stderr: [
          "log.level: must be one of debug, info, warn, error",
          "cros: there is no such key; the nearest is cors",
          "",
        ].join("\n"),
      });
    });

    it("names the file and the place of a YAML error", async () => {
      const file = folder.write("sluice.yaml", "listen: x\nlisten: y\n");
      const { code, stderr } = await runSluice(["config", "check", "--config", file]);
      assert.deepEqual([code, stderr], [2, `${file}: line 2, column 1: this key was given before\n`]);
    });
  });

  describe("key create", () => {
    it("prints a new key on standard output, and the entry with its hash on standard error", async () => {
      const first = await runSluice(["key", "create", "--id", "billing", "--tenant", "acme"]);
      const second = await runSluice(["key", "create", "--id", "billing", "--tenant", "acme"]);
      assert.equal(first.code, 0);
      assert.match(first.stdout, /^sluice_[A-Za-z0-9_-]{43}\n$/);
      assert.notEqual(first.stdout, second.stdout);
      const sha256 = createHash("sha256").update(first.stdout.trim()).digest("hex");
      const entry = parseStrictYaml(first.stderr.slice(first.stderr.indexOf("- id")).replace(/^ {4}/gm, ""));
      assert.deepEqual(entry, { ok: true, value: [{ id: "billing", tenant: "acme", sha256 }] });
      assert.ok(!first.stderr.includes(first.stdout.trim()));
    });

    it("makes a key for operators where it is told to", async () => {
      const { code, stderr } = await runSluice(["key", "create", "--id", "ops", "--tenant", "acme", "--admin"]);
      assert.equal(code, 0);
      const entry = parseStrictYaml(stderr.slice(stderr.indexOf("- id")).replace(/^ {4}/gm, ""));
      assert.ok(entry.ok && Array.isArray(entry.value));
      assert.equal(entry.value[0].admin, true);
    });

    it("refuses an id with control characters, and one that is empty or too long, in words of their own", async () => {
      for (const [id, message] of [
        ["a\tb", "--id: must not hold control characters\n"],
        ["", "--id: must be 1 to 64 characters\n"],
        ["a".repeat(65), "--id: must be 1 to 64 characters\n"],
      ] as const) {
        const { code, stderr } = await runSluice(["key", "create", "--id", id, "--tenant", "acme"]);
        assert.deepEqual([code, stderr], [2, message]);
      }
    });

    it("refuses a tenant that the configuration would refuse", async () => {
      const { code, stderr } = await runSluice(["key", "create", "--id", "a", "--tenant", "A B"]);
      assert.equal(code, 2);
      assert.match(stderr, /^--tenant: must be /);
    });
  });

  describe("prompts check and render", () => {
    const prompt = [
      "---",
      "description: Greets.",
      "input:",
      "  schema:",
      "    type: object",
      "    properties: { name: { type: string } }",
      "    required: [name]",
      "    additionalProperties: false",
      "---",
      "@user",
      "Greet {{name}}.",
      "",
    ].join("\n");

    it("work on the folder prompts of the working directory", async () => {
      folder.write("prompts/greet/v1.prompt", prompt);
      const check = await runSluice(["prompts", "check"], { cwd: folder.path });
      assert.equal(check.code, 0, check.stdout);
      const args = ["prompts", "render", "greet", "--var", "name=@-", "--format", "json"];
      const render = await runSluice(args, { cwd: folder.path, stdin: "Ada" });
      assert.equal(render.code, 0, render.stdout);
      assert.match(render.stdout, /Greet Ada\./);
    });

    it("work on another folder where one is named, and exit with 1 where a prompt is wrong", async () => {
      const file = folder.write("others/greet/v1.prompt", prompt.replace("{{name}}", "{{nmae}}"));
      const dir = resolve(file, "../..");
      const check = await runSluice(["prompts", "check", "--dir", dir]);
      assert.equal(check.code, 1);
      assert.match(check.stdout, /greet\/v1\.prompt/);
      assert.equal((await runSluice(["prompts", "render", "greet", "--dir", dir])).code, 1);
    });
  });

  describe("models and prompts list", () => {
    it("show tables of what the server has", async () => {
      const server = await startFakeServer([]);
      const models = await runSluice(["models", "--server", server.url]);
      const long = await runSluice(["models", "--long", "--server", server.url]);
      const prompts = await runSluice(["prompts", "list"], { env: { SLUICE_SERVER: server.url } });
      await server.close();
      assert.equal(models.code, 0);
      assert.match(
        models.stdout,
        /^fast +main +gpt-5-mini +400,000 +16,384 +\$0\.25 +\$2\.00 +ok +default; falls back to other; escalates to smart$/m,
      );
      assert.match(models.stdout, /^cooling .* cooling 12 s +default/m);
      assert.match(models.stdout, /^open .* open 3 s +default/m);
      assert.match(models.stdout, /^probed .* half-open +default/m);
      assert.match(models.stdout, /^sandbox\/extract +sandbox .* unknown +unknown +- +no real model$/m);
      assert.doesNotMatch(models.stdout, /Quotes/);
      assert.match(long.stdout, /no real model\n\nsandbox\/extract {2}Quotes\.\n$/);
      assert.equal(
        prompts.stdout,
        ["prompt     versions  description", "extract    v2, v1    a", "summarize  v1        b\uFFFD[31m", ""].join(
          "\n",
        ),
      );
    });

    it("exit with 3 where no server answers", async () => {
      for (const command of [["models"], ["prompts", "list"]]) {
        const { code, stderr } = await runSluice([...command, "--server", "http://127.0.0.1:1"]);
        assert.equal(code, 3);
        assert.match(stderr, /^no server at http:\/\/127\.0\.0\.1:1;/);
      }
    });
  });
});
