import assert from "node:assert/strict";
import { resolve } from "node:path";
import { run } from "../../support/child.ts";
import { useTemporaryFolder } from "../../support/temporary-folder.ts";
import { tier } from "../../support/tiers.ts";
import { givenSteps, stepsJson, testsOfClient } from "../steps.ts";

// Go compiles gRPC and two generators when its build cache is empty.
const compileLimitMs = 600_000;

tier("go", ({ program }) => {
  describe("grpc-go", () => {
    const inFolder = useTemporaryFolder();

    before("builds the client with the stubs of the example", async function () {
      this.timeout(compileLimitMs);
      const options = { limitMs: compileLimitMs, env: { ...process.env, GOPROXY: "off", GOFLAGS: "-mod=readonly" } };
      await run(process.execPath, ["tools/emit-protos.ts"]);
      const args = ["generate", "--template", "examples/go/buf.gen.yaml"];
      const generated = await run(resolve("node_modules/.bin/buf"), args, options);
      assert.equal(generated.code, 0, generated.stderr);
      const folder = resolve("test/interop/go");
      const built = await run(program, ["-C", folder, "build", "-o", inFolder("client"), "."], options);
      assert.equal(built.code, 0, built.stderr);
    });

    testsOfClient("Go", async ({ host, port }) => {
      const ran = await run(inFolder("client"), ["-address", `${host}:${port}`], { input: stepsJson });
      assert.equal(ran.code, 0, ran.stderr);
      return givenSteps(ran.stdout);
    });
  });
});
