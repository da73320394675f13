import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { putDocuments } from "../../../src/pipeline/put-documents.ts";
import { until } from "../../rpc/support/in-memory.ts";
import { closeServers } from "../../rpc/support/test-server.ts";
import { sluice, startCorpusServer, writeFiles } from "../corpus/fixture.ts";
import { cleanEnvironment, sluiceCommand } from "../run-sluice.ts";

describe("an ingest that is stopped", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-stop-"));

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await closeServers();
  });

  it("ends cleanly with 3, ends its calls, removes nothing, and goes on when it is run again", async () => {
    let isHeld = false;
    let left = 0;
    const server = await startCorpusServer({
      putDocuments(call, request): ReturnType<typeof putDocuments> {
        if (!isHeld) return putDocuments(server.ports, call, request);
        call.signal.addEventListener("abort", () => {
          left += 1;
        });
        return new Promise((_, reject) => {
          call.signal.addEventListener("abort", () => reject(call.signal.reason));
        });
      },
    });
    const ingest = ["ingest", folder, "--collection", "handbook"];
    writeFiles(folder, { "gone.md": "gone", "a.md": "a" });
    await sluice(server.url, ingest);
    rmSync(join(folder, "gone.md"));
    writeFiles(folder, Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}.md`, `text ${n}`])));
    isHeld = true;
    const [program, args] = sluiceCommand(...ingest, "--concurrency", "2", "--server", server.url);
    const child = spawn(program, args, { env: cleanEnvironment(), stdio: ["ignore", "pipe", "pipe"] });
    const output = Promise.all([readText(child.stdout), readText(child.stderr)]);
    const held = () => server.pipeline.calls.length;
    await until(() => held() === 3);
    child.kill("SIGINT");
    const [code] = await once(child, "exit");
    const [stdout, stderr] = await output;
    assert.deepEqual([code, stderr], [3, ""]);
    assert.match(
      stdout,
      /0 created, .* 0 removed[\s\S]*\nstopped before the end; the same command goes on from here\n$/,
    );
    await until(() => left === 2);
    isHeld = false;
    const again = await sluice(server.url, ingest);
    assert.match(again.stdout, /100 created, 0 updated, 1 unchanged, 1 removed, 0 failed/);
  });
});
