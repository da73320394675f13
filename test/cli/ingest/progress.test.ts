import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { PutDocumentsResponseSchema, PutStatus } from "../../../gen/sluice/v1/corpus_service_pb.ts";
import { Progress, progressText } from "../../../src/cli/ingest/progress.ts";
import { Tally } from "../../../src/cli/ingest/tally.ts";
import { fakeClock } from "../../support/clock.ts";

const file = (id: string, bytes: number) => ({ id, path: id, kind: "text", bytes }) as const;

function tallyOf(costNanoUsd: bigint | undefined): Tally {
  const tally = new Tally(new Map());
  const results = [{ documentId: "a", status: PutStatus.CREATED, chunkCount: 1200 }];
  const usage = { promptTokens: 81_204n };
  tally.put(create(PutDocumentsResponseSchema, { results, usage, costNanoUsd }), [file("a", 250)]);
  return tally;
}

describe("the progress of an ingest", () => {
  it("has documents, chunks, tokens, cost, rate and the time that is left by bytes", () => {
    assert.equal(
      progressText(tallyOf(1_624_080n), { files: 4, bytes: 1000 }, 10_000),
      "1 of 4 documents · 1,200 chunks · 81,204 tokens · $0.00162 · 0.1 documents/s · 30 s left",
    );
  });

  it("says that a cost is unknown, and guesses no rate at once", () => {
    assert.equal(
      progressText(tallyOf(undefined), { files: 4, bytes: 1000 }, 500),
      "1 of 4 documents · 1,200 chunks · 81,204 tokens · cost unknown",
    );
  });

  it("counts files that failed as done", () => {
    const tally = tallyOf(0n);
    tally.fail(file("b", 250), "is broken");
    tally.binary(file("c", 500));
    assert.match(progressText(tally, { files: 4, bytes: 1000 }, 1000), /^3 of 4 documents .* 0 s left$/);
  });

  it("changes one line on a terminal, and adds lines elsewhere every few seconds", () => {
    for (const [isTTY, expected] of [
      [true, /^\r1 of 4 [^\n]*<clear>\r1 of 4 [^\n]*<clear>\r<clear>$/],
      [false, /^1 of 4 [^\r\n]*\n$/],
    ] as const) {
      let written = "";
      const clock = fakeClock();
      const write = (text: string) => {
        written += text;
      };
      const progress = new Progress({ isTTY, write }, clock, { files: 4, bytes: 1000 });
      progress.update(tallyOf(0n));
      for (const ms of [4000, 50, 1000]) {
        clock.advance(ms);
        progress.update(tallyOf(0n));
      }
      progress.end();
      assert.match(written.replaceAll("\u001b[K", "<clear>"), expected);
    }
  });
});
