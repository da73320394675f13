import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../support/child.ts";
import { tier } from "../support/tiers.ts";

tier("git", (git) => {
  describe("the check for breaking changes", () => {
    let folder: string;
    const contract = () => join(folder, "proto/sluice/v1/message.proto");

    /** A repository of its own with our contract, whose commit is tagged as a release. */
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "sluice-breaking-test-"));
      for (const name of ["buf.yaml", "proto", "tools", "package.json"]) {
        await cp(resolve(name), join(folder, name), { recursive: true });
      }
      await symlink(resolve("node_modules"), join(folder, "node_modules"));
      await inFolder(git.program, "init", "--quiet");
      await inFolder(git.program, "add", "buf.yaml", "proto");
      const author = ["-c", "user.name=Test", "-c", "user.email=test@localhost"];
      await inFolder(git.program, ...author, "commit", "--quiet", "--message", "Release");
    });

    after(() => rm(folder, { recursive: true, force: true }));

    async function inFolder(program: string, ...args: string[]) {
      const { code, stdout, stderr } = await run(program, args, { cwd: folder });
      return code === 0 ? stdout : assert.fail(`${program} ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    }

    const check = () => inFolder(process.execPath, "tools/check.ts", "breaking");

    it("passes and says so while there is no release", async () => {
      assert.equal(await check(), "ok     breaking: no release yet\n");
    });

    it("passes where nothing changed since the release", async () => {
      await inFolder(git.program, "tag", "v0.9.0");
      await inFolder(git.program, "tag", "v0.10.0");
      assert.equal(await check(), "ok     breaking: against v0.10.0\n");
    });

    it("fails where a field was renumbered", async () => {
      const source = await readFile(contract(), "utf8");
      await writeFile(contract(), source.replace("Role role = 1", "Role role = 7"));
      await assert.rejects(check(), /message\.proto.*field "1".*was deleted[\s\S]*FAILED breaking: against v0\.10\.0/);
      await writeFile(contract(), source);
    });
  });
});
