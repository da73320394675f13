import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ReembedCollectionResponseSchema } from "../../gen/sluice/v1/corpus_service_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { closeServers } from "../rpc/support/test-server.ts";
import { sluice, startCorpusServer } from "./corpus/fixture.ts";

const late = () => new SluiceError({ reason: "DEADLINE_EXCEEDED", stage: Stage.CALL_MODEL, attempts: [] });

/** A server whose calls come so far, one after the other, before their time is over. */
async function serverThatReaches(...reached: readonly bigint[]) {
  const waiting = [...reached];
  return await startCorpusServer({
    async *reembed(call) {
      const embeddedChunks = waiting.shift() ?? 0n;
      const done = embeddedChunks === 100n;
      yield create(ReembedCollectionResponseSchema, { embeddedChunks, totalChunks: 100n, done, callId: call.id });
      if (!done) throw late();
    },
  });
}

const args = ["collections", "reembed", "handbook", "--model", "wide"];

describe("sluice collections reembed", () => {
  afterEach(closeServers);

  it("goes on by another call where one's time is over, as long as each comes further", async () => {
    const server = await serverThatReaches(40n, 80n, 100n);
    const { code, stdout } = await sluice(server.url, args);
    assert.equal(code, 0);
    assert.match(stdout, /^handbook answers by wide now: 100 of 100 chunks/);
    assert.equal(server.pipeline.calls.length, 3);
  });

  it("gives up where a call comes no further", async () => {
    const server = await serverThatReaches(40n, 40n, 100n);
    const { code, stdout, stderr } = await sluice(server.url, args);
    assert.deepEqual([code === 0, stdout], [false, ""]);
    assert.match(stderr, /DEADLINE_EXCEEDED/);
    assert.equal(server.pipeline.calls.length, 2);
  });

  it("shows a line that changes on a terminal, and the last event as JSON", async () => {
    const server = await serverThatReaches(40n, 100n);
    const { stdout, stderr } = await sluice(server.url, [...args, "--json"], { isTTY: true });
    assert.equal(JSON.parse(stdout).done, true);
    assert.ok(stderr.startsWith("\r40 of 100 chunks · 0 tokens · cost unknown\u001b[K"));
    assert.ok(stderr.endsWith("\r\u001b[K"));
  });
});
