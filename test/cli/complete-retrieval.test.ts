import assert from "node:assert/strict";
import { RetrievalMode } from "../../gen/sluice/v1/retrieval_pb.ts";
import { sluice } from "./corpus/fixture.ts";
import { answerOf, finished, startFakeServer } from "./fake-server.ts";

describe("sluice complete --retrieve", () => {
  async function complete(events: Parameters<typeof startFakeServer>[0], ...args: readonly string[]) {
    const server = await startFakeServer(events);
    try {
      const ran = await sluice(server.url, ["complete", "answer-with-sources", ...args]);
      return { ...ran, inputs: server.inputs };
    } finally {
      await server.close();
    }
  }

  it("sends what to look for, where, and how", async () => {
    const options = ["--query", "How long?", "--top-k", "5", "--min-similarity", "0.25", "--hybrid"];
    const where = ["--where", "team=hr", "--where", "year>2024"];
    const { inputs, code } = await complete(answerOf("x"), "--retrieve", "handbook", ...options, ...where);
    assert.equal(code, 0);
    const retrieval = inputs[0]?.retrieval;
    assert.deepEqual(
      [retrieval?.collection, retrieval?.query, retrieval?.topK, retrieval?.minSimilarity, retrieval?.mode],
      ["handbook", "How long?", 5, 0.25, RetrievalMode.HYBRID],
    );
    assert.deepEqual(
      retrieval?.filter?.all.map(({ key, test }) => [key, test.case]),
      [
        ["team", "equals"],
        ["year", "range"],
      ],
    );
  });

  it("leaves to the prompt what is not given, and asks for nothing where nothing is", async () => {
    const { inputs } = await complete(answerOf("x"), "--retrieve", "handbook");
    const { query, topK, minSimilarity, mode, filter } = inputs[0]?.retrieval ?? {};
    assert.deepEqual([query, topK, minSimilarity, mode, filter], ["", undefined, undefined, 0, undefined]);
    assert.equal((await complete(answerOf("x"))).inputs[0]?.retrieval, undefined);
    const ofPrompt = await complete(answerOf("x"), "--top-k", "3");
    assert.deepEqual([ofPrompt.inputs[0]?.retrieval?.collection, ofPrompt.inputs[0]?.retrieval?.topK], ["", 3]);
    assert.equal((await complete(answerOf("x"), "--retrieve", "")).code, 2);
  });

  it("says what was drawn on and where each citation is", async () => {
    const place = { documentId: "leave.md", title: "Leave", startOffsetBytes: 9n, endOffsetBytes: 39n };
    const { stdout, stderr } = await complete([
      finished("Two weeks [leave.md#1] [mine] [leave.md#9].", {
        citations: [{ chunkId: "leave.md#1", score: 0.8125, ...place }, { chunkId: "mine" }],
        unknownCitations: ["leave.md#9"],
        retrieval: { collection: "handbook", corpusVersion: "v2", chunks: [{ id: "leave.md#1" }, { id: "pay.md#0" }] },
      }),
    ]);
    assert.equal(stdout, "Two weeks [leave.md#1] [mine] [leave.md#9].\n");
    assert.deepEqual(stderr.split("\n").slice(2, 6), [
      "drew on 2 chunks of handbook",
      "cites mine",
      "cites leave.md#1, Leave: bytes 9 to 39, similarity 0.813",
      "cites what it did not see: leave.md#9",
    ]);
  });

  it("says why nothing was retrieved", async () => {
    const retrieval = { collection: "handbook", failedWith: "STORE_UNAVAILABLE" };
    const { stderr } = await complete([finished("x", { retrieval })]);
    assert.match(stderr, /^nothing was retrieved from handbook: STORE_UNAVAILABLE$/m);
  });
});
