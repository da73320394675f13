import assert from "node:assert/strict";
import { resolve } from "node:path";
import { run } from "../../support/child.ts";
import { useTemporaryFolder } from "../../support/temporary-folder.ts";
import { tier } from "../../support/tiers.ts";
import { givenSteps, stepsJson, testsOfClient } from "../steps.ts";

tier("python", ({ program }) => {
  describe("grpcio", () => {
    const inFolder = useTemporaryFolder();

    before("describes the contract", async () => {
      await run(process.execPath, ["tools/emit-protos.ts"]);
      const args = ["build", "--as-file-descriptor-set", "-o", inFolder("contract.binpb")];
      const built = await run(resolve("node_modules/.bin/buf"), args);
      assert.equal(built.code, 0, built.stderr);
    });

    testsOfClient("Python", async ({ host, port }) => {
      const args = ["--address", `${host}:${port}`, "--descriptors", inFolder("contract.binpb")];
      const script = resolve("test/interop/python/perform.py");
      const { code, stdout, stderr } = await run(program, [script, ...args], { input: stepsJson });
      assert.equal(code, 0, stderr);
      return givenSteps(stdout);
    });
  });
});
