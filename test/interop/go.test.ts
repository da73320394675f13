import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { run } from "../support/child.ts";
import { useServer } from "../support/running-server.ts";
import { useTemporaryFolder } from "../support/temporary-folder.ts";
import { tier } from "../support/tiers.ts";
import { document } from "./document.ts";
import { assertExampleRan } from "./example-output.ts";

// Go compiles gRPC and two generators when its build cache is empty.
const compileLimitMs = 600_000;

tier("go", ({ program }) => {
  describe("the Go example", () => {
    const server = useServer();
    const inFolder = useTemporaryFolder();

    before(() => writeFile(inFolder("document.txt"), document));

    it("gets a completion, a stream and a typed error with generated stubs", async () => {
      const options = { limitMs: compileLimitMs, env: { ...process.env, GOPROXY: "off", GOFLAGS: "-mod=readonly" } };
      await run(process.execPath, ["tools/emit-protos.ts"]);
      const args = ["generate", "--template", "examples/go/buf.gen.yaml"];
      const generated = await run(resolve("node_modules/.bin/buf"), args, options);
      assert.equal(generated.code, 0, generated.stderr);
      const client = inFolder("client");
      const built = await run(program, ["-C", resolve("examples/go"), "build", "-o", client, "."], options);
      assert.equal(built.code, 0, built.stderr);
      assertExampleRan(await run(client, ["-address", server().address, inFolder("document.txt")]));
    }).timeout(compileLimitMs);
  });
});
