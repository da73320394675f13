import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { run } from "../support/child.ts";
import { useServer } from "../support/running-server.ts";
import { useTemporaryFolder } from "../support/temporary-folder.ts";
import { tier } from "../support/tiers.ts";
import { document } from "./document.ts";
import { assertExampleRan } from "./example-output.ts";

tier("python", ({ program }) => {
  describe("the Python example", () => {
    const server = useServer();
    const inFolder = useTemporaryFolder();

    before(() => writeFile(inFolder("document.txt"), document));

    it("gets a completion, a stream and a typed error", async () => {
      await run(process.execPath, ["tools/emit-protos.ts"]);
      const contract = inFolder("contract.binpb");
      const built = await run(resolve("node_modules/.bin/buf"), ["build", "--as-file-descriptor-set", "-o", contract]);
      assert.equal(built.code, 0, built.stderr);
      const args = ["--address", server().address, "--descriptors", contract, inFolder("document.txt")];
      assertExampleRan(await run(program, [resolve("examples/python/client.py"), ...args]));
    });

    it("gets an answer whose citations point at their places", async () => {
      await run(process.execPath, ["tools/emit-protos.ts"]);
      const contract = inFolder("contract.binpb");
      const built = await run(resolve("node_modules/.bin/buf"), ["build", "--as-file-descriptor-set", "-o", contract]);
      assert.equal(built.code, 0, built.stderr);
      const options = ["--address", server().address, "--descriptors", contract];
      const asked = ["examples/handbook/arrival.md", "What does a lost key cost?"];
      const { code, stdout, stderr } = await run(program, [resolve("examples/python/ask.py"), ...options, ...asked]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /== Answer\nA lost key costs 45 pounds.*\[file\.md#\d\]/);
      assert.match(stdout, /== Sources\n\[file\.md#\d\] similarity 0\.\d\d\n## Check-out\n/);
    }).timeout(60_000);
  });
});
