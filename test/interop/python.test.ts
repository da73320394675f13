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
  });
});
